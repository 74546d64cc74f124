use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::Response;
use seaworthy::http::BodyTimeoutLayer;
use seaworthy::{Classify, Deadline, DeadlineStage, OnDeadline, OnDrop, Rejected};

use super::*;
use crate::support::MS;

/// BO-01: a head that is a failure or throttled settles the call at once, and its body says no more.
#[tokio::test(start_paused = true)]
async fn a_bad_head_settles_at_once() {
    for (code, line) in [(500, FAILURE), (503, FAILURE), (429, Line::Settled(Verdict::Throttled))] {
        let (breaker, told) = plain();
        let response = respond(&layer(&breaker), status(code, script(["a".into(), error()]))).await;
        assert_eq!(told.take(), [line]);
        let mut body = task::spawn(response.into_body());
        assert_eq!(polls(&mut body), ["data a", "error leak", "end"]);
        drop(body);
        assert_eq!(told.take(), []);
    }
}

/// BO-01: a head that is a success or ignored waits for the body; the permit is in it.
#[tokio::test(start_paused = true)]
async fn a_good_head_waits() {
    let ignores = |response: &Result<Response<Script>, BoxError>| match response {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => Verdict::Ignored,
        result => HttpClassifier.classify(result),
    };
    for (code, line) in [(200, SUCCESS), (404, IGNORED)] {
        let (breaker, told) = plain();
        let service = breaker.layer().classify(ignores).until_body_end().layer(service_fn(answer));
        let response = service.oneshot(Request::new(status(code, script(["a".into()])))).await.unwrap();
        let mut body = task::spawn(response.into_body());
        assert_eq!(told.take(), []);
        assert_eq!(polls(&mut body), ["data a"]);
        assert_eq!(told.take(), []);
        assert_eq!(polls(&mut body), ["end"]);
        assert_eq!(told.take(), [line]);
    }
    // Without a body scope the head is all there is.
    let (breaker, told) = plain();
    let service = breaker.layer().classify(HttpClassifier).layer(service_fn(answer));
    let _response = service.oneshot(Request::new(Response::new(script([error()])))).await.unwrap();
    assert_eq!(told.take(), [SUCCESS]);
}

/// BO-02: a complete body counts as its head: after the last frame, after trailers, or when it says that it has ended.
#[tokio::test(start_paused = true)]
async fn complete() {
    let (breaker, told) = plain();
    let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), Act::Pending, "b".into()])).await);
    assert_eq!(polls(&mut body), ["data a", "pending", "data b"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["end"]);
    assert_eq!(told.take(), [SUCCESS]);

    let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), Act::Trailers])).await);
    assert_eq!(polls(&mut body), ["data a"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["trailers"]);
    assert_eq!(told.take(), [SUCCESS]);

    let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), "b".into()]).telling()).await);
    assert_eq!(polls(&mut body), ["data a"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["data b"]);
    assert_eq!((told.take(), body.is_end_stream()), (vec![SUCCESS], true));
    assert_eq!(breaker.state(), State::Closed);
}

/// BO-02: an error of the body is a failure, and so is a panic, at once: an executor may drop the body much later.
#[tokio::test(start_paused = true)]
async fn broken_off() {
    let (breaker, told) = plain();
    let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), error()])).await);
    assert_eq!(polls(&mut body), ["data a", "error leak"]);
    assert_eq!((told.take(), breaker.state()), (vec![FAILURE], State::Open));

    let (breaker, told) = plain();
    let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), Act::Panic, "b".into()])).await);
    assert_eq!(polls(&mut body), ["data a"]);
    assert!(panics(&mut body));
    assert_eq!((told.take(), breaker.state()), (vec![FAILURE], State::Open));
    // The body may go on, of which nobody learns.
    assert_eq!(polls(&mut body), ["data b", "end"]);
    drop(body);
    assert_eq!(told.take(), []);
}

/// BO-02: a body that is dropped before its end counts as `on_body_drop` says: nothing, a failure, or a failure if the
/// call had run strictly longer than a time, its head included.
#[tokio::test(start_paused = true)]
async fn dropped() {
    let slow_head = async |request: Request<Response<Script>>| {
        advance(MS * 3).await;
        answer(request).await
    };
    for (on_drop, held_for, line) in [
        (None, SECOND, IGNORED),
        (Some(OnDrop::Ignore), SECOND, IGNORED),
        (Some(OnDrop::Failure), MS, FAILURE),
        (Some(OnDrop::FailureAfter(MS * 10)), MS * 7, IGNORED),
        (Some(OnDrop::FailureAfter(MS * 10)), MS * 8, FAILURE),
    ] {
        // The circuit breaker's own rule is for calls without a head.
        let own = if line == FAILURE { OnDrop::Ignore } else { OnDrop::Failure };
        for measured in [true, false] {
            let (mut breaker, told) = rig(|builder| builder.on_drop(own));
            if !measured {
                breaker = CircuitBreaker::builder("stream").consecutive_failures(1).on_drop(own).build().unwrap();
            }
            let layer = match on_drop {
                Some(on_drop) => layer(&breaker).on_body_drop(on_drop),
                None => layer(&breaker),
            };
            let service = layer.layer(service_fn(slow_head));
            let request = Request::new(Response::new(script(["a".into(), "b".into()])));
            let mut body = task::spawn(service.oneshot(request).await.unwrap().into_body());
            assert_eq!(polls(&mut body), ["data a"]);
            advance(held_for).await;
            drop(body);
            assert_eq!(breaker.state(), if line == FAILURE { State::Open } else { State::Closed }, "{on_drop:?}");
            assert!(!measured || told.take() == [line], "{on_drop:?}");
        }
    }
}

/// BO-02: a call that is dropped before its head counts as `on_drop` says, as ever.
#[tokio::test(start_paused = true)]
async fn dropped_before_the_head() {
    let (breaker, told) = rig(|builder| builder.on_drop(OnDrop::Failure));
    let never = service_fn(|_: Request<()>| std::future::pending::<Result<Response<Script>, BoxError>>());
    let mut call = task::spawn(layer(&breaker).layer(never).oneshot(Request::new(())));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(told.take(), [FAILURE]);
}

/// BO-02: a body that ends because of the call's deadline counts as `on_deadline` says, whatever its error is made of.
#[tokio::test(start_paused = true)]
async fn deadlines() {
    let exceeded = || Rejected::DeadlineExceeded { stage: DeadlineStage::Body };
    let errors = || -> [(BoxError, bool); 3] {
        [
            (exceeded().into(), true),
            (io::Error::other(io::Error::other(exceeded())).into(), true),
            ("leak".into(), false),
        ]
    };
    for (on_deadline, counts) in [(OnDeadline::Ignore, false), (OnDeadline::Failure, true)] {
        for (error, is_deadline) in errors() {
            let (breaker, told) = rig(|builder| builder.on_deadline(on_deadline));
            let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), Act::Error(error)])).await);
            assert!(polls::<2, _>(&mut body)[1].starts_with("error"));
            assert_eq!(told.take(), [if counts || !is_deadline { FAILURE } else { IGNORED }]);
        }
    }
}

/// CO-01: a body that ends because the call was withdrawn counts as nothing, whatever its error is made of.
#[tokio::test(start_paused = true)]
async fn withdrawn() {
    let withdrawn = || Rejected::Withdrawn { name: "billing".into() };
    let errors: [BoxError; 2] = [withdrawn().into(), io::Error::other(io::Error::other(withdrawn())).into()];
    for error in errors {
        let (breaker, told) = rig(|builder| builder.on_deadline(OnDeadline::Failure));
        let mut body = task::spawn(through(&layer(&breaker), script(["a".into(), Act::Error(error)])).await);
        assert!(polls::<2, _>(&mut body)[1].starts_with("error"));
        assert_eq!((told.take(), breaker.state()), (vec![IGNORED], State::Closed));
    }
}

/// BO-02: a body that is dropped once the deadline has passed counts as `on_deadline` says: the reader did not hang up.
#[tokio::test(start_paused = true)]
async fn dropped_after_the_deadline() {
    for (wait, line) in [(SECOND - MS, IGNORED), (SECOND, FAILURE)] {
        let (breaker, told) = rig(|builder| builder.on_deadline(OnDeadline::Failure));
        let dropped = async {
            let _body = through(&layer(&breaker), script(["a".into()])).await;
            advance(wait).await;
        };
        Deadline::within(SECOND).scope(dropped).await;
        assert_eq!(told.take(), [line]);
    }
}

/// BO-02: an error of another type than a boxed one is searched, too, where its type allows it.
#[tokio::test(start_paused = true)]
async fn deadlines_in_errors_of_other_types() {
    async fn ends_with<E: Send + 'static>(error: E, line: Line) {
        let (breaker, told) = plain();
        let body = Mutex::new(Some(Failing(Some(error))));
        let service = service_fn(|_: Request<()>| {
            let body = body.lock().unwrap().take().unwrap();
            async { Ok::<_, BoxError>(Response::new(body)) }
        });
        let response = layer(&breaker).layer(service).oneshot(Request::new(())).await.unwrap();
        let mut body = task::spawn(response.into_body());
        assert!(matches!(body.enter(|cx, body| body.poll_frame(cx)), Poll::Ready(Some(Err(_)))));
        assert_eq!(told.take(), [line]);
    }
    let exceeded = Rejected::DeadlineExceeded { stage: DeadlineStage::Body };
    ends_with(exceeded.clone(), IGNORED).await;
    ends_with(io::Error::other(exceeded), IGNORED).await;
    ends_with(io::Error::other("leak"), FAILURE).await;
    // Not even an error.
    ends_with((), FAILURE).await;
}

/// A body that fails with an error of any type.
struct Failing<E>(Option<E>);

impl<E> Unpin for Failing<E> {}

impl<E> Body for Failing<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

/// BO-02: the error of a body's time limit from below is no deadline, but a failure.
#[tokio::test(start_paused = true)]
async fn timed_out() {
    let (breaker, told) = rig(|builder| builder.on_deadline(OnDeadline::Ignore));
    let limits = BodyTimeoutLayer::builder().idle(SECOND).build().unwrap();
    let service = layer(&breaker).layer(limits.layer(service_fn(answer)));
    let request = Request::new(Response::new(script([Act::Pending, Act::Pending])));
    let mut body = task::spawn(service.oneshot(request).await.unwrap().into_body());
    assert_eq!(polls(&mut body), ["pending"]);
    advance(SECOND).await;
    assert!(poll(&mut body).starts_with("error"));
    assert_eq!(told.take(), [FAILURE]);
}

/// BO-03: there is one verdict, whatever follows it, and it is there before the frame that decides it.
#[tokio::test(start_paused = true)]
async fn one_verdict() {
    for (first, line) in [(Act::Trailers, SUCCESS), (error(), FAILURE)] {
        let (breaker, told) = plain();
        let acts = [first, "a".into(), error(), Act::Trailers, Act::Pending, error()];
        let mut body = task::spawn(through(&layer(&breaker), script(acts)).await);
        poll(&mut body);
        assert_eq!(told.take(), [line]);
        assert_eq!(polls(&mut body), ["data a", "error leak", "trailers", "pending", "error leak", "end", "end"]);
        drop(body);
        assert_eq!(told.take(), []);
    }
}

/// BO-03: at whichever poll it is dropped, and whether or not that is within a panic, there is one verdict.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_frame() {
    for tells_its_end in [false, true] {
        for count in 0..8 {
            for unwinds in [false, true] {
                let (breaker, told) = plain();
                let acts = ["a".into(), Act::Pending, "".into(), "b".into(), Act::Trailers];
                let mut body = task::spawn(through(&layer(&breaker), Script { tells_its_end, ..script(acts) }).await);
                for _ in 0..count {
                    poll(&mut body);
                }
                let unwound = catch_unwind(AssertUnwindSafe(|| {
                    let _body = body;
                    assert!(!unwinds, "on purpose");
                }));
                assert_eq!(unwound.is_err(), unwinds);
                assert_eq!(told.take(), [if count < 5 { IGNORED } else { SUCCESS }], "after {count}");
            }
        }
    }
}

/// BO-04: a body that is known to be empty settles the call at the head, and is polled as it is from then on.
#[tokio::test(start_paused = true)]
async fn empty() {
    let (breaker, told) = plain();
    let body = through(&layer(&breaker), script([]).telling()).await;
    assert_eq!((told.take(), body.is_end_stream()), (vec![SUCCESS], true));
    assert!(format!("{body:?}").contains("is_settled: true"));
    let mut body = task::spawn(body);
    assert_eq!(polls(&mut body), ["end", "end"]);
    drop(body);
    assert_eq!(told.take(), []);
    // One that does not say so is not known to be empty.
    let mut body = task::spawn(through(&layer(&breaker), script([])).await);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["end"]);
    assert_eq!(told.take(), [SUCCESS]);
}
