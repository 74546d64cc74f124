//! BO: policies whose calls go on until their response bodies have ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use seaworthy::http::{BodyEnd, Early, HttpPolicyLayer, JudgeBody, PolicyBody, ReplayBody};
use seaworthy::policy::Class;
use seaworthy::{DeadlineStage, Fallback, Health, OnDeadline, OnDrop, Phase, State};
use tokio_test::task;
use tower::service_fn;

use super::*;
use crate::circuit_breaker::body::{
    Act, FAILURE, IGNORED, Line, SUCCESS, Script, Told, error, panics, poll, polls, script, status,
};
use crate::support::{SECOND, advance};

/// A backend with these responses, one after the other.
#[derive(Clone, Default)]
struct Responses(Arc<Mutex<VecDeque<Response<Script>>>>);

impl Responses {
    fn of<const N: usize>(responses: [Response<Script>; N]) -> Responses {
        Responses(Arc::new(Mutex::new(responses.into())))
    }

    fn next(&self) -> Response<Script> {
        self.0.lock().unwrap().pop_front().expect("one more")
    }

    /// The body that a call through `layer` gives.
    async fn through(&self, layer: &HttpPolicyLayer) -> Result<task::Spawn<PolicyBody<Script>>, BoxError> {
        let responses = self.clone();
        let backend = service_fn(move |_: Request<ReplayBody<Empty<Bytes>>>| {
            let response = responses.next();
            async move { Ok::<_, BoxError>(response) }
        });
        let response = layer.layer(backend).oneshot(Request::new(Empty::new())).await?;
        Ok(task::spawn(response.into_body()))
    }
}

pub(super) async fn through(layer: &HttpPolicyLayer, script: Script) -> task::Spawn<PolicyBody<Script>> {
    Responses::of([Response::new(script)]).through(layer).await.unwrap()
}

/// With a circuit breaker that opens at the first failure, and one permit; and what it tells.
fn rig(set: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> (Policy, Told) {
    let told = Told::default();
    let builder = Policy::builder("stream")
        .circuit_breaker(|breaker| breaker.consecutive_failures(1).open_for(SECOND))
        .bulkhead(|bulkhead| bulkhead.limit(1))
        .observer(told.clone());
    (set(builder).build().unwrap(), told)
}

fn scoped() -> (Policy, Told) {
    rig(PolicyBuilder::until_body_end)
}

pub(super) fn in_use(policy: &Policy) -> u32 {
    policy.bulkhead().map_or(0, |bulkhead| bulkhead.in_use())
}

/// BO-12: verdict and permit both wait for the end of the body, and are there in the same poll: whatever ends it.
#[tokio::test(start_paused = true)]
async fn verdict_and_permit() {
    for on_layer in [false, true] {
        for (acts, line) in [
            (vec![Act::Data("a"), Act::Pending, Act::Data("b")], SUCCESS),
            (vec![Act::Data("a"), Act::Trailers], SUCCESS),
            (vec![Act::Data("a"), error()], FAILURE),
            (vec![Act::Data("a"), Act::Panic], FAILURE),
        ] {
            let (policy, told) = if on_layer { rig(|builder| builder) } else { scoped() };
            let layer = if on_layer { policy.http_layer().until_body_end() } else { policy.http_layer() };
            let more = acts.len() + usize::from(matches!(acts.last(), Some(Act::Data(_))));
            let mut body = through(&layer, Script { acts: acts.into(), ..Script::default() }).await;
            for _ in 0..more {
                assert_eq!((told.take(), in_use(&policy)), (vec![], 1));
                _ = panics(&mut body);
            }
            assert_eq!((told.take(), in_use(&policy)), (vec![line], 0));
            drop(body);
            assert_eq!((told.take(), in_use(&policy)), (vec![], 0));
        }
    }
    // Without it both are done with the head.
    let (policy, told) = rig(|builder| builder);
    let _body = through(&policy.http_layer(), script([error()])).await;
    assert_eq!((told.take(), in_use(&policy)), (vec![SUCCESS], 0));
}

/// BO-12: the verdict comes first, then the permit, so that who gets that finds the circuit as it is; when the body is
/// dropped, the inner body goes in between.
#[tokio::test(start_paused = true)]
async fn verdict_first() {
    let (policy, told) = scoped();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = {
        let (seen, bulkhead, told) = (seen.clone(), policy.bulkhead().unwrap().clone(), told.clone());
        move || seen.lock().unwrap().push((told.take(), bulkhead.in_use()))
    };
    let backend = service_fn(move |_: Request<ReplayBody<Empty<Bytes>>>| {
        let body = Watched(watched.clone());
        async move { Ok::<_, BoxError>(Response::new(body)) }
    });
    let service = policy.http_layer().layer(backend);
    drop(service.oneshot(Request::new(Empty::new())).await.unwrap());
    assert_eq!(*seen.lock().unwrap(), [(vec![IGNORED], 1)]);
    assert_eq!(in_use(&policy), 0);
}

/// A body that never ends, and says when it is dropped.
struct Watched<F: FnMut()>(F);

impl<F: FnMut()> Drop for Watched<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<F: FnMut()> Body for Watched<F> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        std::task::Poll::Pending
    }
}

/// BO-12: a bad head settles the call at once; its permit stays with the body all the same.
#[tokio::test(start_paused = true)]
async fn a_bad_head_keeps_its_permit() {
    let (policy, told) = scoped();
    let bad = Responses::of([status(500, script(["a".into(), error()]))]);
    let mut body = bad.through(&policy.http_layer()).await.unwrap();
    assert_eq!((told.take(), in_use(&policy)), (vec![FAILURE], 1));
    assert_eq!(polls(&mut body), ["data a", "error leak"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![], 0));
}

/// BO-12: an empty body has ended with its head, and classes without a part hold nothing of it.
#[tokio::test(start_paused = true)]
async fn empty_bodies_and_bare_classes() {
    let (policy, told) = scoped();
    let _empty = through(&policy.http_layer(), script([]).telling()).await;
    assert_eq!((told.take(), in_use(&policy)), (vec![SUCCESS], 0));
    let bare = policy.http_layer().class(Class::bare());
    let mut body = through(&bare, script([error()])).await;
    assert_eq!((told.take(), in_use(&policy)), (vec![], 0));
    assert_eq!(polls(&mut body), ["error leak"]);
    assert_eq!(told.take(), []);
    // A bulkhead alone is scoped, too.
    let policy = Policy::builder("stream").bulkhead(|bulkhead| bulkhead.limit(1)).until_body_end().build().unwrap();
    let mut body = through(&policy.http_layer(), script(["a".into()])).await;
    assert_eq!(in_use(&policy), 1);
    assert_eq!(polls(&mut body), ["data a", "end"]);
    assert_eq!(in_use(&policy), 0);
}

/// BO-11, BO-12: an attempt that is retried ends with its head, and holds nothing through the wait; only the last one
/// goes on.
#[tokio::test(start_paused = true)]
async fn retried_attempts() {
    for (code, line) in [(503, FAILURE), (429, Line::Settled(Verdict::Throttled))] {
        let (policy, told) = rig(|builder| {
            builder
                .circuit_breaker(|breaker| breaker.consecutive_failures(9))
                .retry(|retry| retry.attempts(3).backoff(Backoff::constant(SECOND)).no_budget())
                .until_body_end()
        });
        let responses = Responses::of([
            status(code, script(["a".into()])),
            status(code, script(["b".into()])),
            status(200, script(["c".into(), error()])),
        ]);
        let layer = policy.http_layer();
        let mut call = task::spawn(responses.through(&layer));
        for _ in 0..2 {
            assert!(call.poll().is_pending());
            assert_eq!((told.take(), in_use(&policy)), (vec![line], 0));
            advance(SECOND).await;
        }
        let mut body = tokio_test::assert_ready_ok!(call.poll());
        assert_eq!((told.take(), in_use(&policy)), (vec![], 1));
        assert_eq!(polls(&mut body), ["data c", "error leak", "end"]);
        assert_eq!((told.take(), in_use(&policy)), (vec![FAILURE], 0));
    }
    // A success that is retried all the same was one.
    let (policy, told) = rig(|builder| {
        builder.retry(|retry| retry.attempts(2).backoff(Backoff::constant(SECOND)).no_budget()).until_body_end()
    });
    let layer = policy.http_layer().retry_if(|result: &Result<Response<Script>, BoxError>| match result {
        Ok(response) if response.status() == 202 => seaworthy::retry::Decision::Retry,
        _ => seaworthy::retry::Decision::Stop,
    });
    let responses = Responses::of([status(202, script([])), status(200, script([]))]);
    let backend = responses.clone();
    let backend = service_fn(move |_: Request<ReplayBody<Empty<Bytes>>>| {
        let response = backend.next();
        async move { Ok::<_, BoxError>(response) }
    });
    let mut call = task::spawn(layer.layer(backend).oneshot(Request::new(Empty::new())));
    assert!(call.poll().is_pending());
    assert_eq!((told.take(), in_use(&policy)), (vec![SUCCESS], 0));
    drop(call);
    assert_eq!((told.take(), in_use(&policy)), (vec![], 0));
}

/// BO-12: a decision to retry that panics leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_decision_that_panics() {
    let (policy, told) = rig(|builder| builder.retry(|retry| retry.attempts(2)).until_body_end());
    let layer = policy
        .http_layer()
        .retry_if(|_: &Result<Response<Script>, BoxError>| -> seaworthy::retry::Decision { panic!("on purpose") });
    let backend = service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| Ok::<_, BoxError>(status(200, script([]))));
    let mut call = task::spawn(layer.layer(backend).oneshot(Request::new(Empty::new())));
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.poll().is_ready()));
    assert!(unwound.is_err());
    assert_eq!((told.take(), in_use(&policy)), (vec![SUCCESS], 0));
}

/// BO-12: the timeouts end with the head; the limits of the body bound the rest, and what they end is a failure.
#[tokio::test(start_paused = true)]
async fn time_limits() {
    let (policy, told) =
        rig(|builder| builder.timeout(SECOND).total_timeout(SECOND * 2).body_idle_timeout(SECOND * 5).until_body_end());
    let acts = ["a".into(), Act::Pending, Act::Pending, Act::Pending, Act::Pending];
    let mut body = through(&policy.http_layer(), script(acts)).await;
    advance(SECOND * 4).await;
    assert_eq!(polls(&mut body), ["data a", "pending"]);
    advance(SECOND * 5 - MS).await;
    assert_eq!(polls(&mut body), ["pending"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![], 1));
    advance(MS).await;
    assert!(poll(&mut body).contains("timed out after 5s"));
    assert_eq!((told.take(), in_use(&policy)), (vec![FAILURE], 0));
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open);
}

/// BO-12: a deadline in a body's error counts as `on_deadline` says.
#[tokio::test(start_paused = true)]
async fn deadlines() {
    for (rule, line) in [(OnDeadline::Ignore, IGNORED), (OnDeadline::Failure, FAILURE)] {
        let (policy, told) =
            rig(|builder| builder.circuit_breaker(|breaker| breaker.on_deadline(rule)).until_body_end());
        let exceeded = Rejected::DeadlineExceeded { stage: DeadlineStage::Body };
        let mut body = through(&policy.http_layer(), script([Act::Error(exceeded.into())])).await;
        assert!(poll(&mut body).starts_with("error"));
        assert_eq!(told.take(), [line]);
    }
}

/// BO-12, CO-01: a body that ends because the call was withdrawn counts as nothing.
#[tokio::test(start_paused = true)]
async fn withdrawn() {
    let (policy, told) = scoped();
    let withdrawn = Rejected::Withdrawn { name: "billing".into() };
    let mut body = through(&policy.http_layer(), script([Act::Error(withdrawn.into())])).await;
    assert!(poll(&mut body).starts_with("error"));
    assert_eq!((told.take(), in_use(&policy)), (vec![IGNORED], 0));
}

/// BO-12: `settle_early` and `on_body_drop` hold in a policy as on a layer; the permit stays until the end.
#[tokio::test(start_paused = true)]
async fn options() {
    let (policy, told) = rig(|builder| builder.until_body_end().settle_early(Early::Bytes(2)));
    let mut body = through(&policy.http_layer(), script(["a".into(), "b".into(), error()])).await;
    assert_eq!(polls(&mut body), ["data a"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["data b"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![SUCCESS], 1));
    assert_eq!(polls(&mut body), ["error leak"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![Line::Broke { after: Duration::ZERO, bytes: 2 }], 0));
    // A probe settles at its first data frame.
    let (policy, told) = scoped();
    settle(policy.circuit_breaker().unwrap(), &[Verdict::Failure]);
    advance(SECOND).await;
    let mut probe = through(&policy.http_layer(), script(["a".into(), "b".into()])).await;
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::HalfOpen);
    poll(&mut probe);
    assert_eq!((policy.circuit_breaker().unwrap().state(), in_use(&policy)), (State::Closed, 1));
    drop(probe);
    assert_eq!(told.take().last(), Some(&SUCCESS));

    for (on_drop, held_for, fails) in [
        (OnDrop::Ignore, SECOND, false),
        (OnDrop::Failure, MS, true),
        (OnDrop::FailureAfter(MS * 10), MS * 10, false),
        (OnDrop::FailureAfter(MS * 10), MS * 11, true),
    ] {
        // Whether or not anybody else wants to know how long calls take, and with a shared circuit breaker, too.
        let own = || Policy::builder("stream").until_body_end().on_body_drop(on_drop);
        let first = |breaker: seaworthy::circuit_breaker::CircuitBreakerBuilder| breaker.consecutive_failures(1);
        let shared = first(seaworthy::CircuitBreaker::builder("stream")).build().unwrap();
        for builder in [own().circuit_breaker(first), own().shared_circuit_breaker(shared)] {
            let policy = builder.build().unwrap();
            let body = through(&policy.http_layer(), script(["a".into()])).await;
            advance(held_for).await;
            drop(body);
            let state = if fails { State::Open } else { State::Closed };
            assert_eq!(policy.circuit_breaker().unwrap().state(), state, "{on_drop:?}");
        }
    }
}

/// BO-07, BO-12: options of the body without a scope, and scopes of nothing, are refused, in code as in data.
#[test]
fn contradictions() {
    let flaw = |builder: PolicyBuilder| builder.build().unwrap_err().to_string();
    let breaker = || Policy::builder("stream").circuit_breaker(|breaker| breaker);
    let empty = || Policy::builder("stream");
    for (builder, text) in [
        (breaker().settle_early(Early::FirstFrame), "circuit_breaker.settle_early: needs `until_body_end`"),
        (breaker().on_body_drop(OnDrop::Ignore), "circuit_breaker.on_body_drop: needs `until_body_end`"),
        (breaker().until_body_end().settle_early(Early::Bytes(0)), "circuit_breaker.settle_early: must be at least 1"),
        (
            breaker().until_body_end().settle_early(Early::After(Duration::ZERO)),
            "circuit_breaker.settle_early: must be longer than zero",
        ),
        (empty().until_body_end(), "circuit_breaker.until_body_end: needs a circuit breaker or a bulkhead"),
        (
            empty().bulkhead(|bulkhead| bulkhead).until_body_end().settle_early(Early::Never),
            "circuit_breaker.settle_early: needs a circuit breaker",
        ),
        (
            empty().bulkhead(|bulkhead| bulkhead).until_body_end().on_body_drop(OnDrop::Failure),
            "circuit_breaker.on_body_drop: needs a circuit breaker",
        ),
    ] {
        assert_eq!(flaw(builder), text);
    }
}

/// BO-06, BO-12: a judge has the last word in a policy, too.
#[tokio::test(start_paused = true)]
async fn judged() {
    struct Strict;
    impl<D> JudgeBody<D> for Strict {
        fn frame(&mut self, _: &http_body::Frame<D>) {}
        fn end(self, _: BodyEnd<'_>, _: Verdict) -> Verdict {
            Verdict::Failure
        }
    }
    for is_scoped in [true, false] {
        let (policy, told) = if is_scoped { scoped() } else { rig(|builder| builder) };
        let backend =
            service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| Ok::<_, BoxError>(status(200, script([]))));
        let service = policy.http_layer().judge_body(|_| Strict).layer(backend);
        let mut body = task::spawn(service.oneshot(Request::new(Empty::new())).await.unwrap().into_body());
        assert_eq!(polls(&mut body), ["end"]);
        assert_eq!(told.take(), [if is_scoped { FAILURE } else { SUCCESS }]);
    }
}

/// BO-12: with a fallback the body of the call goes on; the fallback's own has nothing to do with the policy.
#[tokio::test(start_paused = true)]
async fn with_a_fallback() {
    let (policy, told) = scoped();
    let fallback = Fallback::function("stream", |_: BoxError| Ok(status(203, script(["f".into()])))).build().unwrap();
    let responses = Responses::of([status(200, script(["a".into(), error()]))]);
    let backend = service_fn(move |_: Request<ReplayBody<Empty<Bytes>>>| {
        let response = responses.next();
        async move { Ok::<_, BoxError>(response) }
    });
    let service = policy.http_layer().fallback(fallback).layer(backend);
    let response = service.clone().oneshot(Request::new(Empty::new())).await.unwrap();
    let mut body = task::spawn(response.into_body());
    assert_eq!((told.take(), in_use(&policy)), (vec![], 1));
    assert_eq!(polls(&mut body), ["data a", "error leak"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![FAILURE], 0));
    let response = service.oneshot(Request::new(Empty::new())).await.unwrap();
    assert_eq!(response.status(), 203);
    let mut body = task::spawn(response.into_body());
    assert_eq!(polls(&mut body), ["data f", "end"]);
    assert_eq!((told.take(), in_use(&policy)), (vec![], 0));
}

/// BO-12: a leaked policy, and one that the layer made until the end of the body, are the same policy.
#[tokio::test(start_paused = true)]
async fn the_same_parts() {
    let (policy, told) = rig(|builder| builder);
    let policy = policy.leak();
    let scoped = policy.http_layer().until_body_end().until_body_end();
    let mut body = through(&scoped, script([error()])).await;
    assert_eq!(in_use(&policy), 1);
    assert_eq!(polls(&mut body), ["error leak"]);
    assert_eq!((told.take(), policy.circuit_breaker().unwrap().state()), (vec![FAILURE], State::Open));
}

/// BO-15: after a storm of calls whose bodies end in every way, nothing is in flight anywhere: readiness, bulkhead and
/// circuit breaker agree.
#[tokio::test(start_paused = true)]
async fn after_a_storm() {
    let (policy, told) = rig(|builder| {
        builder
            .bulkhead(|bulkhead| bulkhead.limit(64))
            .circuit_breaker(|breaker| breaker.consecutive_failures(1_000).max_concurrent_probes(1))
            .until_body_end()
    });
    let health = Health::new();
    health.advance(Phase::Serving);
    let mut running = Vec::new();
    let (mut calls, mut frames) = (0, 0);
    for round in 0..300_usize {
        let acts: Vec<Act> = match round % 7 {
            0 => vec![],
            1 => vec!["a".into(), Act::Pending, "b".into()],
            2 => vec!["a".into(), error()],
            3 => vec![Act::Pending, Act::Panic],
            4 => vec![Act::Trailers],
            _ => (0..40).map(|_| Act::Data("x")).collect(),
        };
        let code = if round % 11 == 0 { 500 } else { 200 };
        let script = Script { acts: acts.into(), tells_its_end: round % 2 == 0, ..Script::default() };
        let backend = Responses::of([status(code, script)]);
        let backend = service_fn(move |_: Request<ReplayBody<Empty<Bytes>>>| {
            let response = backend.next();
            async move { Ok::<_, BoxError>(response) }
        });
        let stack = health.readiness_layer().until_body_end().layer(policy.http_layer().layer(backend));
        match stack.oneshot(Request::new(Empty::new())).await {
            Ok(response) => running.push(task::spawn(response.into_body())),
            Err(error) => panic!("{error}"),
        }
        calls += 1;
        advance(MS).await;
        for number in (0..running.len()).rev() {
            frames += 1;
            let is_dropped = frames % 5 == 0 || (panics(&mut running[number]) && frames % 2 == 0);
            if is_dropped {
                drop(running.swap_remove(number));
            }
        }
    }
    assert_eq!(calls, 300);
    drop(running);
    assert_eq!((in_use(&policy), health.in_flight()), (0, 0));
    // Each call that was let in was settled once; none is a probe that is still out.
    let lines = told.take();
    println!("{} calls settled", lines.len());
    assert!(lines.len() > 100);
    assert!([SUCCESS, FAILURE, IGNORED].iter().all(|line| lines.contains(line)));
    policy.circuit_breaker().unwrap().reset();
    trip_and_probe(&policy).await;
}

/// The circuit breaker has its probe to give.
async fn trip_and_probe(policy: &Policy) {
    let breaker = policy.circuit_breaker().unwrap();
    settle(breaker, &[Verdict::Failure; 1_000]);
    assert_eq!(breaker.state(), State::Open);
    advance(SECOND).await;
    assert!(breaker.admit().unwrap().is_probe());
}
