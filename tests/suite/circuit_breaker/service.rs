//! The circuit breaker around a service.

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService};
use seaworthy::{BoxError, CircuitBreaker, Rejected, StackError, State, Verdict};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_test::mock;

use crate::support::{MS, SECOND, advance, settle};

type Inner = mock::Mock<&'static str, &'static str>;
type Handle = mock::Handle<&'static str, &'static str>;

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("service").consecutive_failures(1).open_for(SECOND)
}

fn around(circuit_breaker: &CircuitBreaker) -> (task::Spawn<CircuitBreakerService<Inner>>, Handle) {
    let (inner, mut handle) = mock::pair();
    // Nothing is ready unless it was allowed to be.
    handle.allow(0);
    (task::spawn(circuit_breaker.layer().layer(inner)), handle)
}

fn ready<S>(service: &mut task::Spawn<CircuitBreakerService<S>>) -> std::task::Poll<Result<(), BoxError>>
where
    S: Service<&'static str, Error = BoxError> + Unpin,
{
    service.enter(|cx, mut service| service.poll_ready(cx))
}

fn is_rejected(error: &BoxError) -> bool {
    matches!(error.rejected(), Some(Rejected::CircuitOpen { .. }))
}

/// CB-02: The response of a call that passes is passed on, and so is the error of the call that opens the circuit.
#[tokio::test(start_paused = true)]
async fn cb_02_answers_are_passed_on() {
    let circuit_breaker = builder().build().unwrap();
    let (mut service, mut handle) = around(&circuit_breaker);
    handle.allow(2);
    assert_ready_ok!(ready(&mut service));
    let mut call = task::spawn(service.call("one"));
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "one");
    assert_pending!(call.poll());
    respond.send_response("two");
    assert_eq!(assert_ready_ok!(call.poll()), "two");

    assert_ready_ok!(ready(&mut service));
    let mut call = task::spawn(service.call("three"));
    handle.next_request().await.unwrap().1.send_error("down");
    let error = assert_ready_err!(call.poll());
    assert_eq!(error.to_string(), "down");
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-08: While open, the inner service is touched neither by `poll_ready` nor by `call`.
#[tokio::test(start_paused = true)]
async fn cb_08_the_inner_service_is_untouched() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    let (mut service, mut handle) = around(&circuit_breaker);
    for rejected in 1..=3 {
        // The inner service is not ready: had it been asked, this would be pending.
        assert_ready_ok!(ready(&mut service));
        let mut call = task::spawn(service.call("x"));
        let error = assert_ready_err!(call.poll());
        let rejection = Rejected::CircuitOpen { name: "service".into(), retry_after: Some(SECOND).into() };
        assert_eq!(error.rejected(), Some(&rejection));
        assert_eq!(circuit_breaker.snapshot().rejected, rejected);
    }
    assert_pending!(task::spawn(handle.next_request()).poll());
}

/// CB-10: Of many services that are ready at once, one call becomes the probe.
#[tokio::test(start_paused = true)]
async fn cb_10_services_that_are_ready_at_once() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let (service, mut handle) = around(&circuit_breaker);
    handle.allow(100);
    let mut services: Vec<_> = (0..20).map(|_| task::spawn(CircuitBreakerService::clone(&service))).collect();
    for service in &mut services {
        assert_ready_ok!(ready(service));
    }
    // Being ready made no service a probe.
    assert_eq!(circuit_breaker.state(), State::Open);
    let mut calls: Vec<_> = services.iter_mut().map(|service| task::spawn(service.call("x"))).collect();
    let answers: Vec<_> = calls.iter_mut().map(|call| call.poll()).collect();
    assert!(answers[0].is_pending());
    for answer in answers.into_iter().skip(1) {
        assert!(is_rejected(&assert_ready_err!(answer)));
    }
    handle.next_request().await.unwrap().1.send_response("well");
    assert_ready_ok!(calls[0].poll());
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert_pending!(task::spawn(handle.next_request()).poll());
}

/// A service that can never be made ready.
#[derive(Clone)]
struct Broken;

impl Service<&'static str> for Broken {
    type Response = &'static str;
    type Error = BoxError;
    type Future = std::future::Ready<Result<&'static str, BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Err("broken".into()))
    }

    fn call(&mut self, _: &'static str) -> Self::Future {
        panic!("called without being ready")
    }
}

/// CB-18: Each error of the inner `poll_ready` counts as one failure, and is passed on.
#[tokio::test(start_paused = true)]
async fn cb_18_an_error_of_poll_ready() {
    let circuit_breaker = builder().consecutive_failures(3).build().unwrap();
    let mut service = task::spawn(circuit_breaker.layer().layer(Broken));
    for failures in 1..=2 {
        let error = assert_ready_err!(ready(&mut service));
        assert_eq!(error.to_string(), "broken");
        assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, failures);
    }
    assert_ready_err!(ready(&mut service));
    assert_eq!(circuit_breaker.state(), State::Open);
    // Now the inner service is not asked, so its error does not surface.
    assert_ready_ok!(ready(&mut service));
    assert!(is_rejected(&assert_ready_err!(task::spawn(service.call("x")).poll())));
}

/// CB-18: In half-open it is a failed trial; if the open time is over, it stands in for the probe that could not be.
#[tokio::test(start_paused = true)]
async fn cb_18_in_half_open() {
    let circuit_breaker = builder().max_trials(3).success_threshold(2).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    settle(&circuit_breaker, &[Verdict::Success]);
    let mut service = task::spawn(circuit_breaker.layer().layer(Broken));
    assert_ready_err!(ready(&mut service));
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    assert_eq!(circuit_breaker.snapshot().counts.failures, 1);
    assert_ready_err!(ready(&mut service));
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(SECOND));

    advance(SECOND).await;
    assert_ready_err!(ready(&mut service));
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().counts.failures), (State::HalfOpen, 1));
}

/// CB-18: With a probe in flight that is yet to decide, such an error is not one trial too many.
#[tokio::test(start_paused = true)]
async fn cb_18_with_all_probes_out() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let probe = circuit_breaker.admit().unwrap();
    let mut service = task::spawn(circuit_breaker.layer().layer(Broken));
    assert_ready_ok!(ready(&mut service));
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    probe.settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-19: `poll_ready` takes no probe permit: a ready but idle service does not block another.
#[tokio::test(start_paused = true)]
async fn cb_19_ready_and_idle() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let (mut idle, mut handle) = around(&circuit_breaker);
    handle.allow(10);
    let mut busy = task::spawn(CircuitBreakerService::clone(&idle));
    assert_ready_ok!(ready(&mut idle));
    assert_ready_ok!(ready(&mut busy));
    let mut call = task::spawn(busy.call("x"));
    handle.next_request().await.unwrap().1.send_response("y");
    assert_ready_ok!(call.poll());
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-19: The answer of `poll_ready` is the answer of `call`, even if the circuit closed in between: the inner service
/// is not ready.
#[tokio::test(start_paused = true)]
async fn cb_19_rejected_although_it_closed_in_between() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    let (mut service, mut handle) = around(&circuit_breaker);
    advance(400 * MS).await;
    assert_ready_ok!(ready(&mut service));
    assert_eq!(circuit_breaker.snapshot().rejected, 0, "nobody was rejected yet");
    advance(200 * MS).await;
    circuit_breaker.reset();
    let error = assert_ready_err!(task::spawn(service.call("x")).poll());
    assert_eq!(error.rejected().and_then(Rejected::retry_after), Some(600 * MS));
    assert_eq!(circuit_breaker.snapshot().rejected, 1);
    assert_pending!(task::spawn(handle.next_request()).poll());
    // The next time the inner service decides.
    assert_pending!(ready(&mut service));
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(ready(&mut service));
    assert_pending!(task::spawn(service.call("x")).poll());
}

/// CB-19: Ready again means asked again: a service that was ready to reject does not have to.
#[tokio::test(start_paused = true)]
async fn cb_19_asked_again() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    let (mut service, mut handle) = around(&circuit_breaker);
    assert_ready_ok!(ready(&mut service));
    circuit_breaker.reset();
    handle.allow(1);
    assert_ready_ok!(ready(&mut service));
    let mut call = task::spawn(service.call("x"));
    handle.next_request().await.unwrap().1.send_response("y");
    assert_ready_ok!(call.poll());
}

/// CB-19: A clone of a service that is ready to reject is not: it asks for itself.
#[tokio::test(start_paused = true)]
async fn cb_19_a_clone_asks_for_itself() {
    let circuit_breaker = builder().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    let (mut service, mut handle) = around(&circuit_breaker);
    assert_ready_ok!(ready(&mut service));
    let mut clone = task::spawn(CircuitBreakerService::clone(&service));
    circuit_breaker.reset();
    assert_pending!(ready(&mut clone));
    handle.allow(1);
    assert_ready_ok!(ready(&mut clone));
    assert_pending!(task::spawn(clone.call("x")).poll());
    assert!(is_rejected(&assert_ready_err!(task::spawn(service.call("x")).poll())));
}

/// CB-19: With the circuit closed and the inner service pending, pending. If it opens after that, `call` rejects.
#[tokio::test(start_paused = true)]
async fn cb_19_closed_and_pending() {
    let circuit_breaker = builder().build().unwrap();
    let (mut service, mut handle) = around(&circuit_breaker);
    assert_pending!(ready(&mut service));
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(ready(&mut service));
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert!(is_rejected(&assert_ready_err!(task::spawn(service.call("x")).poll())));
    assert_pending!(task::spawn(handle.next_request()).poll());
}

/// CB-17: `poll_ready` notices a probe that timed out, too: it is where an admission begins.
#[tokio::test(start_paused = true)]
async fn cb_17_noticed_by_poll_ready() {
    let circuit_breaker = builder().probe_timeout(100 * MS).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let _hung = circuit_breaker.admit().unwrap();
    let (mut service, _handle) = around(&circuit_breaker);
    advance(150 * MS).await;
    assert_ready_ok!(ready(&mut service));
    let error = assert_ready_err!(task::spawn(service.call("x")).poll());
    assert_eq!(error.rejected().and_then(Rejected::retry_after), Some(950 * MS));
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-17, CB-19: Even while there is room for another probe: the timeout of the first may have ended the half-open
/// state.
#[tokio::test(start_paused = true)]
async fn cb_17_noticed_by_poll_ready_with_room_for_another() {
    let circuit_breaker = builder().success_threshold(2).max_concurrent_probes(2).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let _hung = circuit_breaker.admit().unwrap();
    let (mut service, _handle) = around(&circuit_breaker);
    advance(1_500 * MS).await;
    // The inner service is not ready: had it been asked, this would be pending.
    assert_ready_ok!(ready(&mut service));
    let error = assert_ready_err!(task::spawn(service.call("x")).poll());
    assert_eq!(error.rejected().and_then(Rejected::retry_after), Some(500 * MS));
}

/// CB-22: Layers made from a handle and services made by those layers share one circuit breaker.
#[tokio::test(start_paused = true)]
async fn cb_22_layers_share() {
    let circuit_breaker = builder().build().unwrap();
    let layer = circuit_breaker.layer();
    let services: Vec<CircuitBreakerService<Inner>> = (0..3).map(|_| layer.layer(mock::pair().0)).collect();
    let other = circuit_breaker.layer().clone().layer(mock::pair::<&'static str, &'static str>().0);
    settle(services[1].circuit_breaker(), &[Verdict::Failure]);
    assert!(services.iter().chain([&other]).all(|service| service.circuit_breaker().state() == State::Open));
}

/// CB-08: The future of a rejected call is ready at once, and one that is polled again panics rather than hangs.
#[tokio::test(start_paused = true)]
#[should_panic = "polled after it was ready"]
async fn cb_08_polled_again() {
    let circuit_breaker = builder().build().unwrap();
    circuit_breaker.force_open();
    let (mut service, _handle) = around(&circuit_breaker);
    assert_ready_ok!(ready(&mut service));
    let mut call = task::spawn(service.call("x"));
    assert!(assert_ready!(call.poll()).is_err());
    let _ = call.poll();
}
