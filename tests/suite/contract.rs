//! The circuit breaker among tower's own middleware, which follows the contract of `poll_ready` and `call` to the
//! letter.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService};
use seaworthy::{BoxError, CircuitBreaker, Error, Rejected, StackError, State, Verdict, WrapErrorLayer};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::balance::p2c::Balance;
use tower::buffer::Buffer;
use tower::discover::ServiceList;
use tower::limit::ConcurrencyLimit;
use tower::load::Constant;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use crate::support::{SECOND, advance, settle};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("contract").consecutive_failures(1).open_for(SECOND)
}

fn closed() -> CircuitBreaker {
    builder().build().unwrap()
}

fn opened() -> CircuitBreaker {
    let circuit_breaker = closed();
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker
}

fn is_open(error: &BoxError) -> bool {
    matches!(error.rejected(), Some(Rejected::CircuitOpen { .. }))
}

/// Insists on the contract: it panics when called without having been made ready, and no clone of it is ready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Clone for Strict {
    fn clone(&self) -> Strict {
        Strict { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<bool> for Strict {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, works: bool) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(if works { Ok(()) } else { Err("down".into()) })
    }
}

/// CB-08, CB-19: An open circuit does not end a buffer, whose worker treats any error of `poll_ready` as the end: once
/// calls may pass again, they do.
#[tokio::test(start_paused = true)]
async fn cb_19_under_a_buffer() {
    let circuit_breaker = closed();
    let strict = Strict::default();
    let mut buffer = Buffer::new(circuit_breaker.layer().layer(strict.clone()), 8);
    buffer.ready().await.unwrap().call(true).await.unwrap();
    let error = buffer.ready().await.unwrap().call(false).await.unwrap_err();
    assert_eq!(error.to_string(), "down");
    // Open: the worker is ready to reject, and rejects.
    for _ in 0..10 {
        let error = buffer.ready().await.unwrap().call(true).await.unwrap_err();
        assert!(is_open(&error), "{error}");
    }
    assert_eq!(strict.calls(), 2);
    advance(SECOND).await;
    // The probe succeeds, and everything is as before.
    for _ in 0..10 {
        buffer.ready().await.unwrap().call(true).await.unwrap();
    }
    assert_eq!((circuit_breaker.state(), strict.calls()), (State::Closed, 12));
}

/// CB-20: In wait mode a buffer holds the requests back while the circuit is open.
#[tokio::test(start_paused = true)]
async fn cb_20_under_a_buffer() {
    let circuit_breaker = opened();
    let strict = Strict::default();
    let mut buffer = Buffer::new(circuit_breaker.layer().wait().layer(strict.clone()), 8);
    let mut calls = [(); 3].map(|()| task::spawn(buffer.clone().oneshot(true)));
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    tokio::task::yield_now().await;
    assert_eq!((strict.calls(), circuit_breaker.snapshot().rejected), (0, 0));
    advance(SECOND).await;
    // The first is the probe, and the others pass once it has succeeded.
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!((circuit_breaker.state(), strict.calls(), circuit_breaker.snapshot().rejected), (State::Closed, 3, 0));
    buffer.ready().await.unwrap().call(true).await.unwrap();
}

/// CB-18: What does end a buffer is the inner service's own error from `poll_ready`, which is passed on.
#[tokio::test(start_paused = true)]
async fn cb_18_under_a_buffer() {
    let circuit_breaker = closed();
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    handle.send_error("broken");
    let mut buffer = Buffer::new(circuit_breaker.layer().layer(inner), 8);
    let error = buffer.ready().await.unwrap().call("x").await.unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
    assert!(!is_open(&error));
    assert_eq!(circuit_breaker.state(), State::Open);
    // The worker has ended, and the buffer with it.
    assert!(buffer.ready().await.is_err());
}

/// CB-19: A load shedder above sees an open circuit as ready, so that callers hear of the circuit and not of overload.
#[tokio::test(start_paused = true)]
async fn cb_19_under_load_shed() {
    let circuit_breaker = closed();
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    handle.allow(0);
    let mut shed = LoadShed::new(circuit_breaker.layer().layer(inner));
    // Closed, and the inner service is pending: overloaded, which says nothing about the backend.
    let error = shed.ready().await.unwrap().call("x").await.unwrap_err();
    assert!(error.is::<Overloaded>(), "{error}");
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
    settle(&circuit_breaker, &[Verdict::Failure]);
    // Open: the rejection comes before the question of load.
    let error = shed.ready().await.unwrap().call("x").await.unwrap_err();
    assert!(is_open(&error), "{error}");
    assert_eq!(circuit_breaker.snapshot().rejected, 1);
}

/// CB-20: In wait mode an open circuit is not ready, and so is shed.
#[tokio::test(start_paused = true)]
async fn cb_20_under_load_shed() {
    let circuit_breaker = opened();
    let mut shed = LoadShed::new(circuit_breaker.layer().wait().layer(Strict::default()));
    let error = shed.ready().await.unwrap().call(true).await.unwrap_err();
    assert!(error.is::<Overloaded>(), "{error}");
    assert_eq!(circuit_breaker.snapshot().rejected, 0);
    advance(SECOND).await;
    shed.ready().await.unwrap().call(true).await.unwrap();
    assert_eq!(circuit_breaker.state(), State::Closed);
}

type Endpoint = Constant<CircuitBreakerService<Strict>, u32>;

/// A balancer over two endpoints of equal load, each with a circuit breaker, and how often each was called.
fn balance(circuits: [&CircuitBreaker; 2], waits: bool) -> (Balance<ServiceList<Vec<Endpoint>>, bool>, [Strict; 2]) {
    let backends = [Strict::default(), Strict::default()];
    let endpoints = circuits.into_iter().zip(&backends).map(|(circuit_breaker, backend)| {
        let layer = if waits { circuit_breaker.layer().wait() } else { circuit_breaker.layer() };
        Constant::new(layer.layer(backend.clone()), 1)
    });
    (Balance::new(ServiceList::new(endpoints.collect())), backends)
}

/// CB-19: A balancer drops an endpoint whose `poll_ready` fails; that of an open circuit does not fail.
#[tokio::test(start_paused = true)]
async fn cb_19_under_balance() {
    let (ill, well) = (opened(), closed());
    let (mut balance, [first, second]) = balance([&ill, &well], false);
    let mut rejected = 0;
    for _ in 0..200 {
        match balance.ready().await.unwrap().call(true).await {
            Ok(()) => {}
            Err(error) if is_open(&error) => rejected += 1,
            Err(error) => panic!("{error}"),
        }
    }
    // To the balancer it is as good as the other one, and still there.
    assert_eq!(balance.len(), 2);
    assert!((1..200).contains(&rejected), "{rejected}");
    assert_eq!((first.calls(), second.calls()), (0, 200 - rejected));
    advance(SECOND).await;
    for _ in 0..200 {
        balance.ready().await.unwrap().call(true).await.unwrap();
    }
    // It was probed, and takes requests again.
    assert_eq!(ill.state(), State::Closed);
    assert!(first.calls() > 1);
}

/// CB-20: In wait mode a balancer sends all requests to the other endpoint, until the open time is over.
#[tokio::test(start_paused = true)]
async fn cb_20_under_balance() {
    let (ill, well) = (opened(), closed());
    let (mut balance, [first, second]) = balance([&ill, &well], true);
    for _ in 0..200 {
        balance.ready().await.unwrap().call(true).await.unwrap();
    }
    assert_eq!((balance.len(), first.calls(), second.calls()), (2, 0, 200));
    assert_eq!(ill.snapshot().rejected, 0);
    advance(SECOND).await;
    for _ in 0..200 {
        balance.ready().await.unwrap().call(true).await.unwrap();
    }
    assert_eq!(ill.state(), State::Closed);
    assert!(first.calls() > 1);
    // Both are open: no request is rejected, it waits.
    ill.force_open();
    well.force_open();
    let mut waiting = task::spawn(balance.ready());
    assert_pending!(waiting.poll());
    well.reset();
    assert!(waiting.is_woken());
    assert_ready_ok!(waiting.poll());
}

/// CB-19: Being ready is no probe: of two services that are ready, the one that is called becomes the probe. The one
/// that is idle, or dropped, held nothing.
#[tokio::test(start_paused = true)]
async fn cb_19_ready_idle_and_gone() {
    let circuit_breaker = opened();
    let mut busy = circuit_breaker.layer().layer(Strict::default());
    let (mut idle, mut gone) = (busy.clone(), busy.clone());
    advance(SECOND).await;
    for service in [&mut busy, &mut idle, &mut gone] {
        service.ready().await.unwrap();
    }
    drop(gone);
    // Three were ready, and none was called.
    assert_eq!(circuit_breaker.state(), State::Open);
    busy.call(true).await.unwrap();
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
    // The idle one was made ready long ago, in another state; its inner service is as ready as it was then.
    idle.call(true).await.unwrap();
    assert_eq!(circuit_breaker.snapshot().rejected, 0);
}

/// CB-19: A future of `ready` that is dropped leaves nothing behind, whether ready or pending.
#[tokio::test(start_paused = true)]
async fn cb_19_ready_is_dropped() {
    let circuit_breaker = closed();
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    handle.allow(0);
    let mut service = circuit_breaker.layer().layer(inner);
    assert_pending!(task::spawn(service.ready()).poll());
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_ready_ok!(task::spawn(service.ready()).poll());
    advance(SECOND).await;
    assert_pending!(task::spawn(service.ready()).poll());
    handle.allow(1);
    assert_ready_ok!(task::spawn(service.ready()).poll());
    // Made ready in all states but half-open, and never called.
    let snapshot = circuit_breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.generation, snapshot.rejected), (State::Open, 1, 0));
    assert!(circuit_breaker.admit().is_ok_and(|permit| permit.is_probe()));
}

/// CB-19: A clone of a ready service asks its own inner service, and is not called on the strength of the original.
#[tokio::test(start_paused = true)]
async fn cb_19_a_clone_is_not_ready() {
    let circuit_breaker = builder().consecutive_failures(2).build().unwrap();
    let mut service = circuit_breaker.layer().layer(Strict::default());
    service.ready().await.unwrap();
    let mut clone = service.clone();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(clone.call(true)))).is_err());
    // The panic was the inner service's, which had not been asked; it counts as a failure.
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 1);
    clone.ready().await.unwrap().call(true).await.unwrap();
    // The original is still ready.
    service.call(true).await.unwrap();
    assert_eq!(service.get_ref().calls(), 2);
}

/// CB-19: A service that was ready to reject does so even if the circuit has closed: its inner service was never asked,
/// and would panic.
#[tokio::test(start_paused = true)]
async fn cb_19_ready_to_reject() {
    let circuit_breaker = opened();
    let mut service = circuit_breaker.layer().layer(Strict::default());
    service.ready().await.unwrap();
    circuit_breaker.reset();
    assert!(is_open(&service.call(true).await.unwrap_err()));
    service.ready().await.unwrap().call(true).await.unwrap();
    assert_eq!(service.get_ref().calls(), 1);
}

/// CB-08: `oneshot` on a clone for each request, as routers do.
#[tokio::test(start_paused = true)]
async fn cb_08_oneshot() {
    let circuit_breaker = closed();
    let service = circuit_breaker.layer().layer(Strict::default());
    service.clone().oneshot(true).await.unwrap();
    assert_eq!(service.clone().oneshot(false).await.unwrap_err().to_string(), "down");
    assert!(is_open(&service.clone().oneshot(true).await.unwrap_err()));
    assert_eq!(service.get_ref().calls(), 2);
    advance(SECOND).await;
    service.clone().oneshot(true).await.unwrap();
    assert_eq!((circuit_breaker.state(), service.get_ref().calls()), (State::Closed, 3));
}

/// CB-19: An inner permit taken in `poll_ready` is not lost when the circuit opens before the call: the service keeps
/// it for its next call, and releases it when dropped.
#[tokio::test(start_paused = true)]
async fn cb_19_around_a_concurrency_limit() {
    let circuit_breaker = closed();
    let mut first = task::spawn(circuit_breaker.layer().layer(ConcurrencyLimit::new(Strict::default(), 1)));
    let mut second = task::spawn(CircuitBreakerService::clone(&first));
    let ready =
        |service: &mut task::Spawn<CircuitBreakerService<_>>| service.enter(|cx, mut service| service.poll_ready(cx));
    assert_ready_ok!(ready(&mut first));
    assert_pending!(ready(&mut second));
    settle(&circuit_breaker, &[Verdict::Failure]);
    // The first has the permit and is rejected; so is the second, without waiting for the permit.
    assert!(is_open(&first.call(true).await.unwrap_err()));
    assert_ready_ok!(ready(&mut second));
    assert!(is_open(&second.call(true).await.unwrap_err()));
    advance(SECOND).await;
    // The permit is where it was: the first can be the probe, and the second waits for the permit.
    assert_pending!(ready(&mut second));
    assert_ready_ok!(ready(&mut first));
    first.call(true).await.unwrap();
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert!(second.is_woken());
    assert_ready_ok!(ready(&mut second));
    // Now the second has the permit; the circuit opens, and the second is dropped.
    circuit_breaker.force_open();
    assert!(is_open(&second.call(true).await.unwrap_err()));
    drop(second);
    circuit_breaker.reset();
    assert_ready_ok!(ready(&mut first));
    first.call(true).await.unwrap();
}

/// CB-13: The rejection of a circuit breaker below is no failure for the one above, even through a foreign layer that
/// boxes it.
#[tokio::test(start_paused = true)]
async fn cb_13_a_circuit_below() {
    let (above, below) = (closed(), opened());
    let mut service =
        ServiceBuilder::new().layer(above.layer()).buffer(4).layer(below.layer()).service(Strict::default());
    assert!(is_open(&service.ready().await.unwrap().call(true).await.unwrap_err()));
    assert_eq!((above.state(), below.snapshot().rejected), (State::Closed, 1));
    below.reset();
    assert!(!is_open(&service.ready().await.unwrap().call(false).await.unwrap_err()));
    assert_eq!((above.state(), below.state()), (State::Open, State::Open));
}

/// A stack whose service cannot fail: the only errors are rejections.
#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_fail() {
    let circuit_breaker = closed();
    let inner = service_fn(|()| ready(Ok::<_, Infallible>(7)));
    let mut service = ServiceBuilder::new().layer(circuit_breaker.layer()).layer(WrapErrorLayer::new()).service(inner);
    assert_eq!(service.ready().await.unwrap().call(()).await, Ok(7));
    circuit_breaker.force_open();
    let rejected = Rejected::CircuitOpen { name: "contract".into(), retry_after: None.into() };
    assert_eq!(service.ready().await.unwrap().call(()).await, Err(Error::Rejected(rejected)));
}

/// The inner service's readiness, its wake-ups and its error are passed on.
#[tokio::test(start_paused = true)]
async fn readiness_is_the_inner_services() {
    let circuit_breaker = closed();
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    handle.allow(0);
    let mut service = task::spawn(circuit_breaker.layer().layer(inner));
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    assert!(!service.is_woken());
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    handle.send_error("broken");
    let error = assert_ready_err!(service.enter(|cx, mut service| service.poll_ready(cx)));
    assert_eq!(error.to_string(), "broken");
}
