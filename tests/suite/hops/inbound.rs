use seaworthy::http::{InboundBuilder, InboundLayer};
use seaworthy::{Deadline, DeadlineStage};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower_test::mock;

use super::*;
use crate::support::{MS, SECOND, advance};

/// DL-12: the deadline is now and the smaller of the two headers, whatever the kind of request.
#[tokio::test(start_paused = true)]
async fn dl_12_the_smaller_header() {
    for content_type in ["application/json", "application/grpc"] {
        for (headers, left) in [
            (vec![], None),
            (vec![(TIMEOUT, "300")], Some(300 * MS)),
            (vec![(GRPC, "300m")], Some(300 * MS)),
            (vec![(GRPC, "1M")], Some(60 * SECOND)),
            (vec![(TIMEOUT, "300"), (GRPC, "299999u")], Some(Duration::from_micros(299_999))),
            (vec![(TIMEOUT, "299"), (GRPC, "1S")], Some(299 * MS)),
            (vec![(TIMEOUT, "5"), (TIMEOUT, "4"), (TIMEOUT, "6")], Some(4 * MS)),
            (vec![(GRPC, "5S"), (GRPC, "4000m"), (GRPC, "1H")], Some(4 * SECOND)),
            (vec![(TIMEOUT, "9999999999")], Some(Duration::from_millis(9_999_999_999))),
            // More than the clock can represent.
            (vec![(GRPC, "99999999H")], None),
            (vec![(GRPC, "99999999H"), (TIMEOUT, "7")], Some(7 * MS)),
        ] {
            let mut request = request(&headers);
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            let seen = through(InboundLayer::new(), request).await.unwrap();
            assert_eq!(seen.left(), left, "{headers:?}");
            // They are left as they were, and nothing is put into the request.
            assert_eq!(seen.headers.len(), headers.len() + 1);
            assert_eq!(seen.extension, None);
        }
    }
}

/// DL-12: `max` caps what is asked for, what is the default, and an extension; it gives no deadline by itself.
/// `default` is for requests whose headers say nothing.
#[tokio::test(start_paused = true)]
async fn dl_12_max_and_default() {
    type Set = fn(InboundBuilder) -> InboundBuilder;
    let (max, default): (Set, Set) = (|it| it.max(30 * SECOND), |it| it.default(5 * SECOND));
    let both: Set = |it| it.max(30 * SECOND).default(5 * SECOND);
    let endless: Set = |it| it.max(Duration::MAX).default(Duration::MAX);
    for (name, set, header, left) in [
        ("max", max, None, None),
        ("max", max, Some("29999"), Some(29_999 * MS)),
        ("max", max, Some("30001"), Some(30 * SECOND)),
        ("default", default, None, Some(5 * SECOND)),
        ("default", default, Some("7000"), Some(7 * SECOND)),
        ("default", default, Some("1"), Some(MS)),
        ("default", default, Some("malformed"), Some(5 * SECOND)),
        ("both", both, None, Some(5 * SECOND)),
        ("both", both, Some("40000"), Some(30 * SECOND)),
        ("endless", endless, None, None),
        ("endless", endless, Some("1"), Some(MS)),
    ] {
        let headers: Vec<_> = header.map(|value| (TIMEOUT, value)).into_iter().collect();
        let layer = set(InboundLayer::builder()).build().unwrap();
        assert_eq!(through(&layer, request(&headers)).await.unwrap().left(), left, "{name} {header:?}");
    }
}

/// DL-12: an extension, and the deadline that is current, narrow what the headers say, and never widen it.
#[tokio::test(start_paused = true)]
async fn dl_12_extension_and_scope_narrow() {
    let layers = [InboundLayer::new(), InboundLayer::builder().max(50 * MS).default(20 * MS).build().unwrap()];
    let far = Deadline::NEVER;
    for (header, extension, current, left) in [
        (Some("10"), 5 * MS, far, [Some(5 * MS), Some(5 * MS)]),
        (Some("10"), 15 * MS, far, [Some(10 * MS), Some(10 * MS)]),
        (Some("10"), 15 * MS, Deadline::within(3 * MS), [Some(3 * MS), Some(3 * MS)]),
        (None, 15 * MS, far, [Some(15 * MS), Some(15 * MS)]),
        (None, 60 * MS, far, [Some(60 * MS), Some(20 * MS)]),
        (Some("90"), 80 * MS, far, [Some(80 * MS), Some(50 * MS)]),
        (Some("90"), 80 * MS, Deadline::within(70 * MS), [Some(70 * MS), Some(50 * MS)]),
        (None, Duration::MAX, Deadline::within(70 * MS), [Some(70 * MS), Some(20 * MS)]),
        (None, Duration::MAX, far, [None, Some(20 * MS)]),
    ] {
        for (layer, left) in layers.iter().zip(left) {
            let headers: Vec<_> = header.map(|value| (TIMEOUT, value)).into_iter().collect();
            let mut request = request(&headers);
            request.extensions_mut().insert(Deadline::within(extension));
            let seen = current.scope(through(layer, request)).await.unwrap();
            assert_eq!(seen.left(), left, "{header:?} {extension:?} {current:?}");
        }
    }
    // The cap holds for a deadline that nothing in the request asks for.
    let capped = InboundLayer::builder().max(50 * MS).build().unwrap();
    let seen = Deadline::within(SECOND).scope(through(&capped, request(&[]))).await.unwrap();
    assert_eq!(seen.left(), Some(50 * MS));
}

/// DL-12: with `insert_extension` the request carries the deadline that is in force; without one, it carries none.
#[tokio::test(start_paused = true)]
async fn dl_12_inserted() {
    let layer = InboundLayer::builder().max(SECOND).insert_extension().build().unwrap();
    for (headers, current, left) in [
        (vec![(TIMEOUT, "10")], Deadline::NEVER, Some(10 * MS)),
        (vec![(TIMEOUT, "10")], Deadline::within(5 * MS), Some(5 * MS)),
        (vec![(TIMEOUT, "5000")], Deadline::NEVER, Some(SECOND)),
        (vec![], Deadline::within(5 * MS), Some(5 * MS)),
        (vec![], Deadline::NEVER, None),
    ] {
        let seen = current.scope(through(&layer, request(&headers))).await.unwrap();
        assert_eq!((seen.left(), seen.extension), (left, seen.deadline), "{headers:?}");
    }
    // One that was there is replaced by the earlier one.
    let mut with_another = request(&[(TIMEOUT, "10")]);
    with_another.extensions_mut().insert(Deadline::within(20 * MS));
    let seen = through(&layer, with_another).await.unwrap();
    assert_eq!(seen.extension, Some(Deadline::within(10 * MS)));
}

/// DL-12, DL-04: what has passed, or has less than `least`, is rejected on arrival and does not reach the service
/// below; of what is left exactly, it does. Zero has passed, whatever the default.
#[tokio::test(start_paused = true)]
async fn dl_12_too_late() {
    let (told, below) = (Told::default(), Below::default());
    let builder = InboundLayer::builder().default(SECOND).least(2 * MS).name("gate").observer(told.clone());
    let service = builder.build().unwrap().layer(below.service());
    for (headers, told_last) in [
        (vec![(TIMEOUT, "0")], "gate: arrival, late by 0ns"),
        (vec![(GRPC, "0n"), (TIMEOUT, "500")], "gate: arrival, late by 0ns"),
        (vec![(TIMEOUT, "1")], "gate: arrival, late by 0ns"),
        (vec![(GRPC, "1999999n")], "gate: arrival, late by 0ns"),
    ] {
        let result = service.clone().oneshot(request(&headers)).await;
        assert_eq!(stage(&result), Some(DeadlineStage::Arrival), "{headers:?}");
        assert_eq!(told.take().last().unwrap(), told_last);
    }
    let passed = Deadline::within(MS);
    advance(4 * MS).await;
    let mut late = request(&[(TIMEOUT, "500")]);
    late.extensions_mut().insert(passed);
    assert_eq!(stage(&service.clone().oneshot(late).await), Some(DeadlineStage::Arrival));
    assert_eq!(told.take(), ["arrived with 0ns", "gate: arrival, late by 3ms"]);
    assert_eq!(below.calls(), 0);

    for headers in [vec![(TIMEOUT, "2")], vec![(GRPC, "2000000n")], vec![]] {
        service.clone().oneshot(request(&headers)).await.unwrap();
    }
    assert_eq!(below.calls(), 3);
    assert_eq!(told.take(), ["arrived with 2ms", "arrived with 2ms", "arrived with 1s"]);
    // Without `least`, the last nanosecond is enough.
    assert!(through(InboundLayer::new(), request(&[(GRPC, "1n")])).await.is_ok());
}

/// DL-12, DL-19: the deadline is current while the service below is called, polled and dropped, and not a moment
/// longer.
#[tokio::test(start_paused = true)]
async fn dl_12_the_scope() {
    struct OnDrop(Arc<Mutex<Option<Deadline>>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = Deadline::current();
        }
    }
    let dropped = Arc::<Mutex<Option<Deadline>>>::default();
    let service = InboundLayer::new().layer(service_fn(|_: Request<()>| {
        let guard = OnDrop(Arc::clone(&dropped));
        async move {
            let _guard = guard;
            std::future::pending::<Result<(), BoxError>>().await
        }
    }));
    let mut call = spawn(service.oneshot(request(&[(TIMEOUT, "10")])));
    assert_pending!(call.poll());
    assert_eq!(Deadline::current(), None);
    drop(call);
    assert_eq!(*dropped.lock().unwrap(), Some(Deadline::within(10 * MS)));
    assert_eq!(Deadline::current(), None);
}

/// `poll_ready` is the inner service's; the time begins with the request, however long a clone has been ready.
#[tokio::test(start_paused = true)]
async fn x_02_ready_and_idle() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, (), _>(InboundLayer::new());
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    tokio_test::assert_ready_ok!(service.poll_ready());
    advance(10 * SECOND).await;
    let mut late = spawn(service.call(request(&[(TIMEOUT, "0")])));
    assert_eq!(stage(&assert_ready!(late.poll())), Some(DeadlineStage::Arrival));
    // The readiness that the rejected call did not use is still there.
    let mut call = spawn(service.call(request(&[(TIMEOUT, "1")])));
    assert_pending!(call.poll());
    let (_, send) = assert_ready!(spawn(handle.next_request()).poll()).unwrap();
    send.send_response(());
    assert!(assert_ready!(call.poll()).is_ok());
}
