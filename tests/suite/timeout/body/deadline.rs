use seaworthy::http::InboundLayer;
use seaworthy::observe::DeadlineEvent;
use seaworthy::{Deadline, Event};

use super::*;

/// A reader of a body whose head came within this deadline.
fn reader(layer: &BodyTimeoutLayer, deadline: Deadline, tap: &Tap) -> Reader {
    let mut made = None;
    assert_ready!(spawn(deadline.scope(async { made = Some(Reader::new(layer, tap)) })).poll());
    made.unwrap()
}

fn with_deadline() -> BodyTimeoutLayer {
    BodyTimeoutLayer::builder().deadline().build().unwrap()
}

type Told = Arc<Mutex<Vec<(Option<String>, DeadlineStage, Duration)>>>;

fn observer(told: &Told) -> impl seaworthy::Observer + use<> {
    let told = Arc::clone(told);
    move |event: &Event<'_>| match event {
        Event::Deadline(DeadlineEvent::Exceeded { name, stage, late, .. }) => {
            told.lock().unwrap().push((name.map(ToString::to_string), *stage, *late));
        }
        other => panic!("no such body tells {other:?}"),
    }
}

/// DL-16: at the deadline the body ends with an error that holds `DeadlineExceeded`: the poll that notices it drops the
/// inner body, and then comes the end.
#[tokio::test(start_paused = true)]
async fn dl_16_ends_at_the_deadline() {
    let (tap, told) = (Tap::default(), Told::default());
    let layer = BodyTimeoutLayer::builder().deadline().name("feed").observer(observer(&told)).build().unwrap();
    let mut reader = reader(&layer, Deadline::within(10 * MS), &tap);
    assert_eq!(reader.poll_with(&tap), data("x"));
    assert_eq!(reader.poll(), Got::Pending);
    advance(10 * MS - Duration::from_nanos(1)).await;
    assert_eq!(reader.poll(), Got::Pending);
    assert!(told.lock().unwrap().is_empty() && tap.is_alive());
    advance(Duration::from_nanos(1)).await;
    assert!(reader.0.is_woken());
    assert_eq!(reader.poll(), Got::DeadlineExceeded);
    assert!(!tap.is_alive());
    assert_eq!(*told.lock().unwrap(), [(Some("feed".into()), DeadlineStage::Body, Duration::ZERO)]);
    assert!(reader.0.is_end_stream());
    assert_eq!(reader.poll(), Got::End);
    assert_eq!(told.lock().unwrap().len(), 1);
}

/// DL-16: a frame that is there wins, at the deadline and after it; so do the end, trailers and the body's own error. A
/// reader that comes late waits for nothing, and needs no timer to find out.
#[tokio::test(start_paused = true)]
async fn dl_16_a_frame_that_is_there_wins() {
    for late in [Duration::ZERO, SECOND] {
        let (tap, told) = (Tap::default(), Told::default());
        let layer = BodyTimeoutLayer::builder().deadline().observer(observer(&told)).build().unwrap();
        let mut reader = reader(&layer, Deadline::within(10 * MS), &tap);
        assert_eq!(reader.poll(), Got::Pending);
        advance(10 * MS + late).await;
        assert_eq!(reader.poll_with(&tap), data("x"));
        assert_eq!(reader.poll_with(&tap), data("x"));
        assert!(told.lock().unwrap().is_empty());
        assert_eq!(reader.poll(), Got::DeadlineExceeded);
        assert_eq!(*told.lock().unwrap(), [(None, DeadlineStage::Body, late)]);
    }
    type Fill = fn(&Tap);
    let fill: [(Fill, Got); 3] = [
        (Tap::end, Got::End),
        (Tap::trailers, Got::Trailers),
        (|tap| tap.push(Some(Err("broken"))), Got::Broken("broken".into())),
    ];
    for (fill, last) in fill {
        let tap = Tap::default();
        let mut reader = reader(&with_deadline(), Deadline::within(MS), &tap);
        advance(SECOND).await;
        fill(&tap);
        assert_eq!(reader.poll(), last);
    }
}

/// DL-16: it is the deadline that is current in `call`, although the head comes later and the body is read outside of
/// the scope. Without the setting, or without a deadline, a body has all the time it wants.
#[tokio::test(start_paused = true)]
async fn dl_16_the_deadline_of_the_call() {
    for (ends, layer) in [
        (true, with_deadline()),
        (true, BodyTimeoutLayer::deadline()),
        (false, BodyTimeoutLayer::builder().build().unwrap()),
    ] {
        for headers in [Some("100"), None] {
            let tap = Tap::default();
            let inner = tap.clone();
            let service = ServiceBuilder::new().layer(InboundLayer::new()).layer(layer.clone()).service(service_fn(
                move |_: Request<()>| {
                    let body = inner.flow();
                    async move {
                        advance(99 * MS).await;
                        Ok::<_, BoxError>(Response::new(body))
                    }
                },
            ));
            let mut request = Request::new(());
            request.headers_mut().extend(headers.map(|value| {
                (http::HeaderName::from_static("x-request-timeout-ms"), http::HeaderValue::from_static(value))
            }));
            let mut reader = Reader(spawn(service.oneshot(request).await.unwrap().into_body()));
            assert_eq!(reader.poll_with(&tap), data("x"));
            assert_eq!(reader.poll(), Got::Pending);
            advance(MS).await;
            let expected = if ends && headers.is_some() { Got::DeadlineExceeded } else { Got::Pending };
            assert_eq!(reader.poll(), expected);
            assert_eq!(tap.is_alive(), expected == Got::Pending);
        }
    }
}

/// DL-16: beside the other limits, whichever ends first ends the body; of a limit and the deadline at the same moment
/// it is the limit, because the body had all the time that it was promised.
#[tokio::test(start_paused = true)]
async fn dl_16_beside_other_limits() {
    for (deadline, limits, expected) in [
        (5, both(), Got::Pending),
        (5, BodyTimeoutLayer::builder().deadline().idle(IDLE).build().unwrap(), Got::DeadlineExceeded),
        (10, BodyTimeoutLayer::builder().deadline().idle(IDLE).build().unwrap(), Got::TimedOut(IDLE)),
        (10, BodyTimeoutLayer::builder().deadline().total(IDLE).build().unwrap(), Got::TimedOut(IDLE)),
        (11, BodyTimeoutLayer::builder().deadline().idle(IDLE).build().unwrap(), Got::TimedOut(IDLE)),
        (5, BodyTimeoutLayer::builder().deadline().idle(IDLE).total(MS).build().unwrap(), Got::TimedOut(MS)),
    ] {
        let tap = Tap::default();
        let mut reader = reader(&limits, Deadline::within(deadline * MS), &tap);
        assert_eq!(reader.poll(), Got::Pending);
        let mut first = Got::Pending;
        for _ in 0..deadline {
            advance(MS).await;
            first = if first == Got::Pending { reader.poll() } else { first };
        }
        assert_eq!(first, expected, "{deadline} {limits:?}");
    }
}

/// DL-16: a deadline that has passed with the head ends what the first reader would wait for, and not a body that is
/// known to be empty.
#[tokio::test(start_paused = true)]
async fn dl_16_passed_with_the_head() {
    let tap = Tap::default();
    let mut waits = reader(&with_deadline(), Deadline::within(Duration::ZERO), &tap);
    assert_eq!(waits.poll(), Got::DeadlineExceeded);
    let empty = Tap::default();
    empty.0.lock().unwrap().tells_end = true;
    empty.end();
    let mut ends = reader(&with_deadline(), Deadline::within(Duration::ZERO), &empty);
    assert_eq!(ends.poll(), Got::End);
}
