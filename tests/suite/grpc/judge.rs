//! Verdicts at the trailers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::http::grpc::{Code, GrpcClassifier};
use seaworthy::observe::{CircuitBreakerEvent, Interest};
use seaworthy::{
    BoxError, Bulkhead, CircuitBreaker, Deadline, DeadlineStage, Event, Observer, OnDeadline, OnDrop, Rejected, State,
    Verdict,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{MS, SECOND, advance};

/// What a body yields. After the last it has ended.
#[derive(Debug)]
pub(super) enum Step {
    Data,
    Trailers(&'static [(&'static str, &'static str)]),
    Error(BoxError),
    Pending,
}

#[derive(Debug, Default)]
pub(super) struct Steps {
    steps: VecDeque<Step>,
    /// Whether its end is known without a poll.
    tells_its_end: bool,
}

impl Body for Steps {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data) => Some(Ok(Frame::data(Bytes::from_static(b"\0\0\0\0\0")))),
            Some(Step::Trailers(fields)) => {
                let field = |(name, value): &(&'static str, &str)| {
                    (http::HeaderName::from_static(name), value.parse::<http::HeaderValue>().unwrap())
                };
                let mut trailers = HeaderMap::new();
                fields.iter().map(field).for_each(|(name, value)| _ = trailers.append(name, value));
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Step::Error(error)) => Some(Err(error)),
            Some(Step::Pending) => return Poll::Pending,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.steps.is_empty()
    }
}

pub(super) fn body<const N: usize>(steps: [Step; N]) -> Steps {
    Steps { steps: steps.into(), tells_its_end: false }
}

/// The verdicts of a circuit breaker, in order.
#[derive(Clone, Debug, Default)]
struct Verdicts(Arc<Mutex<Vec<Verdict>>>);

impl Observer for Verdicts {
    fn interest(&self) -> Interest {
        Interest::Calls
    }

    fn on_event(&self, event: &Event<'_>) {
        if let Event::CircuitBreaker(CircuitBreakerEvent::Settled { verdict, .. }) = event {
            self.0.lock().unwrap().push(*verdict);
        }
    }
}

impl Verdicts {
    fn take(&self) -> Vec<Verdict> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn rig(set: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder) -> (CircuitBreaker, Verdicts) {
    let verdicts = Verdicts::default();
    let builder = CircuitBreaker::builder("cart").consecutive_failures(1_000).observer(verdicts.clone());
    (set(builder).build().unwrap(), verdicts)
}

/// The response to a request that has it.
async fn answer(request: Request<Response<Steps>>) -> Result<Response<Steps>, BoxError> {
    Ok(request.into_body())
}

/// What a call counts as whose response is this: at its head, and in all, once it was read or dropped.
async fn verdicts(response: Response<Steps>, reads: bool) -> (Vec<Verdict>, Vec<Verdict>) {
    let (circuit_breaker, told) = rig(|builder| builder);
    let service = circuit_breaker.grpc_layer().layer(service_fn(answer));
    let body = service.oneshot(Request::new(response)).await.unwrap().into_body();
    let at_head = told.take();
    if reads {
        let _ = body.collect().await;
    } else {
        drop(body);
    }
    let all = at_head.iter().copied().chain(told.take()).collect();
    (at_head, all)
}

fn with_head(status: u16, code: &str, steps: Steps) -> Response<Steps> {
    Response::builder().status(status).header("grpc-status", code).body(steps).unwrap()
}

const STATUS: &[(&str, &str)] = &[("grpc-status", "14"), ("grpc-message", "later")];

/// GR-02: without a `grpc-status` in a head with status 200, the verdict is given at the trailers.
#[tokio::test]
async fn gr_02_at_the_trailers() {
    const CODES: [&[(&str, &str)]; 20] = [
        &[("grpc-status", "0")],
        &[("grpc-status", "1")],
        &[("grpc-status", "2")],
        &[("grpc-status", "3")],
        &[("grpc-status", "4")],
        &[("grpc-status", "5")],
        &[("grpc-status", "6")],
        &[("grpc-status", "7")],
        &[("grpc-status", "8")],
        &[("grpc-status", "9")],
        &[("grpc-status", "10")],
        &[("grpc-status", "11")],
        &[("grpc-status", "12")],
        &[("grpc-status", "13")],
        &[("grpc-status", "14")],
        &[("grpc-status", "15")],
        &[("grpc-status", "16")],
        &[("grpc-status", "17")],
        &[("grpc-status", "00")],
        &[("grpc-status", "nonsense")],
    ];
    for (code, fields) in CODES.into_iter().enumerate() {
        let expected = match code {
            0 | 3 | 5 | 6 | 7 | 9..=12 | 16 => Verdict::Success,
            1 => Verdict::Ignored,
            8 => Verdict::Throttled,
            _ => Verdict::Failure,
        };
        for steps in [body([Step::Data, Step::Data, Step::Trailers(fields)]), body([Step::Trailers(fields)])] {
            assert_eq!(verdicts(Response::new(steps), true).await, (vec![], vec![expected]), "{fields:?}");
        }
    }
    // The first of several counts.
    let twice = body([Step::Trailers(&[("grpc-status", "0"), ("grpc-status", "14")])]);
    assert_eq!(verdicts(Response::new(twice), true).await.1, [Verdict::Success]);
}

/// GR-02: with a `grpc-status` in the head, the verdict is given at the head, or with the end of the empty body if it is
/// none of failure; it wins over the HTTP status, and over trailers.
#[tokio::test]
async fn gr_02_trailers_only() {
    let failed = vec![Verdict::Failure];
    for steps in [body([]), body([Step::Data, Step::Trailers(&[("grpc-status", "0")])])] {
        assert_eq!(verdicts(with_head(200, "14", steps), true).await, (failed.clone(), failed.clone()));
    }
    assert_eq!(verdicts(with_head(200, "8", body([])), true).await.0, [Verdict::Throttled]);
    for status in [200, 503] {
        let told = verdicts(with_head(status, "5", body([])), true).await;
        assert_eq!(told, (vec![], vec![Verdict::Success]), "{status}");
        let told = verdicts(with_head(status, "0", body([Step::Trailers(STATUS)])), true).await;
        assert_eq!(told.1, [Verdict::Success], "{status}: the head has the word");
    }
    let empty = Steps { steps: VecDeque::new(), tells_its_end: true };
    assert_eq!(verdicts(with_head(200, "0", empty), false).await.0, [Verdict::Success], "known to be over");
    // A status other than 200 has a code by the table.
    for (status, expected) in [(503, Verdict::Failure), (404, Verdict::Success), (500, Verdict::Failure)] {
        let response = Response::builder().status(status).body(body([])).unwrap();
        assert_eq!(verdicts(response, true).await.1, [expected], "{status}");
    }
}

/// GR-02: a body that ends without a status, breaks off or errors is a failure: a missing status is a stream that was cut
/// off, not a clean end.
#[tokio::test]
async fn gr_02_no_status() {
    let empty = Steps { steps: VecDeque::new(), tells_its_end: true };
    for steps in [
        body([]),
        empty,
        body([Step::Data]),
        body([Step::Data, Step::Trailers(&[])]),
        body([Step::Data, Step::Trailers(&[("grpc-message", "0")])]),
        body([Step::Data, Step::Error("reset".into())]),
        body([Step::Error("reset".into())]),
    ] {
        let name = format!("{steps:?}");
        assert_eq!(verdicts(Response::new(steps), true).await.1, [Verdict::Failure], "{name}");
    }
    // Also if the head said that all was well.
    let told = verdicts(with_head(200, "0", body([Step::Error("reset".into())])), true).await;
    assert_eq!(told.1, [Verdict::Failure]);
}

/// GR-02: five UNAVAILABLE in the trailers open the circuit, and so do INTERNAL ones, which go unseen without a body
/// scope (GR-03).
#[tokio::test]
async fn gr_02_it_opens() {
    for fields in [STATUS, &[("grpc-status", "13")]] {
        let (waits, _) = rig(|builder| builder.consecutive_failures(5));
        let (at_head, _) = rig(|builder| builder.consecutive_failures(5));
        let response = || Request::new(Response::new(body([Step::Data, Step::Trailers(fields)])));
        for _ in 0..5 {
            assert_eq!((waits.state(), at_head.state()), (State::Closed, State::Closed));
            let scoped = waits.grpc_layer().layer(service_fn(answer));
            scoped.oneshot(response()).await.unwrap().into_body().collect().await.unwrap();
            let plain = at_head.layer().classify(GrpcClassifier::new()).layer(service_fn(answer));
            plain.oneshot(response()).await.unwrap().into_body().collect().await.unwrap();
        }
        assert_eq!((waits.state(), at_head.state()), (State::Open, State::Closed));
    }
}

/// GR-03: `CircuitBreaker::grpc_layer()` has the body scope; one with failures of one's own judges the trailers by them.
#[tokio::test]
async fn gr_03_failures_of_ones_own() {
    let (circuit_breaker, told) = rig(|builder| builder);
    let layer = circuit_breaker.grpc_layer_with(GrpcClassifier::new().failures(&[Code::NotFound]));
    for (fields, expected) in
        [(&[("grpc-status", "5")][..], Verdict::Failure), (STATUS, Verdict::Success), (&[], Verdict::Failure)]
    {
        let response = Response::new(body([Step::Trailers(fields)]));
        let service = layer.layer(service_fn(answer));
        service.oneshot(Request::new(response)).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(told.take(), [expected], "{fields:?}");
    }
}

/// GR-18: a reader that drops a stream says nothing of the backend, unless the layer says otherwise; the call's own end
/// is the last message, whatever would have come.
#[tokio::test]
async fn gr_18_dropped() {
    let steps = || body([Step::Data, Step::Pending]);
    assert_eq!(verdicts(Response::new(steps()), false).await, (vec![], vec![Verdict::Ignored]));
    let (circuit_breaker, told) = rig(|builder| builder);
    let layer = circuit_breaker.grpc_layer().on_body_drop(OnDrop::Failure);
    drop(layer.layer(service_fn(answer)).oneshot(Request::new(Response::new(steps()))).await.unwrap());
    assert_eq!(told.take(), [Verdict::Failure]);
}

/// GR-18: a stream holds its bulkhead permit to the end, with `until_body_end`, and its verdict comes at the trailers; a
/// probe is settled with its first message, so a stream that lives for hours does not keep the circuit half-open.
#[tokio::test(start_paused = true)]
async fn gr_18_a_stream() {
    let (circuit_breaker, told) = rig(|builder| builder.consecutive_failures(1).open_for(SECOND));
    let bulkhead = Bulkhead::builder("cart").limit(1).build().unwrap();
    let stack = tower::ServiceBuilder::new()
        .layer(circuit_breaker.grpc_layer())
        .layer(bulkhead.layer().until_body_end())
        .service(service_fn(answer));
    let stream = || {
        let fields: &[(&str, &str)] = &[("grpc-status", "0")];
        Request::new(Response::new(body([Step::Data, Step::Data, Step::Trailers(fields)])))
    };
    let mut open = stack.clone().oneshot(stream()).await.unwrap().into_body();
    for _ in 0..2 {
        open.frame().await.unwrap().unwrap();
        advance(3_600 * SECOND).await;
        assert_eq!((told.take(), bulkhead.available()), (vec![], 0));
    }
    // The trailers settle it. The permit is given back at the end, which the next poll finds.
    assert!(open.frame().await.unwrap().unwrap().is_trailers());
    assert_eq!(told.take(), [Verdict::Success]);
    assert!(open.frame().await.is_none());
    assert_eq!(bulkhead.available(), 1);

    // Half-open: the probe's first message is enough.
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    advance(SECOND).await;
    told.take();
    let mut probe = stack.oneshot(stream()).await.unwrap().into_body();
    assert_eq!((circuit_breaker.state(), told.take()), (State::HalfOpen, vec![]));
    probe.frame().await.unwrap().unwrap();
    assert_eq!((circuit_breaker.state(), told.take()), (State::Closed, vec![Verdict::Success]));
}

/// GR-04: a body that ends with 4 DEADLINE_EXCEEDED goes by `on_deadline` if the deadline that was current when the head
/// came has passed, though nobody says it again to who reads the body.
#[tokio::test(start_paused = true)]
async fn gr_04_the_deadline_of_a_body() {
    let late: &[(&str, &str)] = &[("grpc-status", "4")];
    for (after, on_deadline, expected) in [
        (SECOND - MS, OnDeadline::Ignore, Verdict::Failure),
        (SECOND, OnDeadline::Ignore, Verdict::Ignored),
        (SECOND, OnDeadline::Failure, Verdict::Failure),
    ] {
        let (circuit_breaker, told) = rig(|builder| builder.on_deadline(on_deadline));
        let service = circuit_breaker.grpc_layer().layer(service_fn(answer));
        let request = Request::new(Response::new(body([Step::Data, Step::Trailers(late)])));
        let response = Deadline::within(SECOND).scope(service.oneshot(request)).await.unwrap();
        advance(after).await;
        response.into_body().collect().await.unwrap();
        assert_eq!(told.take(), [expected], "{after:?} {on_deadline:?}");
    }
    // No deadline, and a deadline's own error.
    let response = Response::new(body([Step::Trailers(late)]));
    assert_eq!(verdicts(response, true).await.1, [Verdict::Failure]);
    let (circuit_breaker, told) = rig(|builder| builder.on_deadline(OnDeadline::Ignore));
    let over = Rejected::DeadlineExceeded { stage: DeadlineStage::Body };
    let request = Request::new(Response::new(body([Step::Error(over.into())])));
    let response = circuit_breaker.grpc_layer().layer(service_fn(answer)).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap_err();
    assert_eq!(told.take(), [Verdict::Ignored]);
}
