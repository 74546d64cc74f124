use std::convert::Infallible;

use seaworthy::{
    BoxError, Bulkhead, CircuitBreaker, Error, Health, Phase, Rejected, StackError, State, Verdict, WrapErrorLayer,
};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{reason, serving};
use crate::support::{MS, SECOND, advance, settle};

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("backend").consecutive_failures(1).open_for(SECOND).build().unwrap()
}

/// RD-03: a required circuit breaker keeps requests out while it is open, but never the probe that ends the outage: the
/// first request after the open time is let in, is the probe, and closes the circuit.
#[tokio::test(start_paused = true)]
async fn readiness_never_starves_the_probe() {
    let (health, circuit_breaker) = (serving(), circuit_breaker());
    health.require("backend", circuit_breaker.clone()).unwrap();
    let inner = service_fn(|works: bool| async move { if works { Ok(()) } else { Err(BoxError::from("down")) } });
    let service = ServiceBuilder::new().layer(health.readiness_layer()).layer(circuit_breaker.layer()).service(inner);
    let ask = |works| service.clone().oneshot(works);

    assert_eq!(ask(false).await.unwrap_err().to_string(), "down");
    for wait in [MS, SECOND - MS * 2] {
        // Rejected by readiness, before the circuit breaker is asked.
        assert_eq!(reason(ask(true).await).as_deref(), Some("backend"));
        advance(wait).await;
    }
    assert_eq!(reason(ask(true).await).as_deref(), Some("backend"));
    assert_eq!(circuit_breaker.snapshot().rejected, 0);
    advance(MS).await;
    // The probe fails, and it all repeats.
    assert_eq!(ask(false).await.unwrap_err().to_string(), "down");
    assert_eq!((circuit_breaker.state(), health.is_ready()), (State::Open, false));
    advance(SECOND).await;
    assert!(ask(true).await.is_ok());
    assert_eq!((circuit_breaker.state(), health.is_ready()), (State::Closed, true));
}

/// RD-03: while half-open, a request that is let in without being a probe is rejected by the circuit breaker itself.
#[tokio::test(start_paused = true)]
async fn half_open_is_the_circuits_own() {
    let (health, circuit_breaker) = (serving(), circuit_breaker());
    health.require("backend", circuit_breaker.clone()).unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let inner = service_fn(|()| std::future::pending::<Result<(), BoxError>>());
    let service = ServiceBuilder::new().layer(health.readiness_layer()).layer(circuit_breaker.layer()).service(inner);
    let mut probe = task::spawn(service.clone().oneshot(()));
    assert_pending!(probe.poll());
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    for _ in 0..3 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })), "{error}");
    }
    assert_eq!(health.in_flight(), 1);
    drop(probe);
    assert_eq!(health.in_flight(), 0);
    // It hung up; the next one is the probe.
    let mut probe = task::spawn(service.oneshot(()));
    assert_pending!(probe.poll());
}

/// RD-03: a probe that hangs does not keep the service unready for longer than its timeout.
#[tokio::test(start_paused = true)]
async fn a_hung_probe() {
    let (health, circuit_breaker) = (serving(), circuit_breaker());
    health.require("backend", circuit_breaker.clone()).unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    let _hung = circuit_breaker.admit().unwrap();
    advance(SECOND * 2).await;
    let request = health.admit().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
    drop(request);
}

/// RD-02: a required bulkhead that is full takes the service out of rotation, until a permit is free.
#[tokio::test]
async fn a_full_bulkhead() {
    let (health, bulkhead) = (serving(), Bulkhead::builder("work").limit(1).build().unwrap());
    health.require("work", bulkhead.clone()).unwrap();
    let inner = service_fn(|()| std::future::pending::<Result<(), Error<Infallible>>>());
    let mut service = ServiceBuilder::new().layer(health.readiness_layer()).layer(bulkhead.layer()).service(inner);
    let mut running = task::spawn(service.ready().await.unwrap().call(()));
    assert_pending!(running.poll());
    let mut rejected = task::spawn(service.ready().await.unwrap().call(()));
    let error = assert_ready!(rejected.poll()).unwrap_err();
    assert_eq!(error.rejected().map(ToString::to_string).as_deref(), Some("not ready: work"));
    assert_eq!((bulkhead.snapshot().rejected, health.in_flight()), (0, 1));
    drop(running);
    assert!(health.is_ready());
}

/// RD-01: nothing is boxed, and a service that cannot fail is one that can only be not ready.
#[tokio::test]
async fn a_service_that_cannot_fail() {
    let health = Health::new();
    let inner = WrapErrorLayer::new().layer(service_fn(|()| async { Ok::<_, Infallible>(7) }));
    let service = health.readiness_layer().layer(inner);
    let rejected: Result<i32, Error<Infallible>> = service.clone().oneshot(()).await;
    assert_eq!(
        rejected,
        Err(Error::Rejected(Rejected::NotReady { reason: "starting".into(), retry_after: None.into() }))
    );
    health.advance(Phase::Serving);
    assert_eq!(service.oneshot(()).await, Ok(7));
}

/// HC-09: a request kept out by an open circuit gets the rest of the open time, and no time is given where none is
/// known: for a phase, for a circuit that was forced open, for other checks, and for one that panics when it is asked.
#[tokio::test(start_paused = true)]
async fn hc_09_when_to_come_again() {
    struct Panics;
    impl seaworthy::Check for Panics {
        fn status(&self) -> seaworthy::Status {
            false.into()
        }
        fn retry_after(&self) -> Option<std::time::Duration> {
            panic!("on purpose")
        }
    }
    let (health, circuit_breaker) = (Health::new(), circuit_breaker());
    let told = || match health.admit() {
        Err(rejected @ Rejected::NotReady { .. }) => rejected.retry_after(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(), None, "it is starting");
    health.advance(Phase::Serving);
    health.require("backend", circuit_breaker.clone()).unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(told(), Some(SECOND));
    advance(MS * 300).await;
    assert_eq!(told(), Some(MS * 700));
    // By way of a layer, and shared.
    health.require("backend", std::sync::Arc::new(circuit_breaker.clone())).unwrap();
    let inner = service_fn(async |()| Ok::<_, Error<Infallible>>(()));
    let Err(Error::Rejected(rejected)) = health.readiness_layer().layer(inner).oneshot(()).await else { panic!() };
    assert_eq!(rejected, Rejected::NotReady { reason: "backend".into(), retry_after: Some(MS * 700).into() });
    circuit_breaker.force_open();
    assert_eq!(told(), None);
    let bulkhead = Bulkhead::builder("slots").limit(1).retry_after(SECOND * 3).build().unwrap();
    health.require("backend", bulkhead.clone()).unwrap();
    let _permit = bulkhead.try_acquire().unwrap();
    assert_eq!(told(), Some(SECOND * 3));
    health.require("backend", || false).unwrap();
    assert_eq!(told(), None);
    health.require("backend", Panics).unwrap();
    assert_eq!(told(), None);
    assert!(size_of::<Rejected>() <= 40);
}
