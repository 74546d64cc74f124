//! What readiness allocates: nothing for a request that is let in, with any number of checks, and nothing to reject
//! one.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use seaworthy::health::{ReadinessService, ResponseFuture};
use seaworthy::{AsyncCheck, BoxError, Bulkhead, CircuitBreaker, Error, Health, Phase};
use tower::{Layer, Service, ServiceExt, service_fn};

type Answer = Result<u32, Error<&'static str>>;

fn ask<S>(service: &mut S) -> Poll<Answer>
where
    S: Service<u32, Response = u32, Error = Error<&'static str>>,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    pin!(service.call(7)).poll(cx)
}

fn answer(request: u32) -> Ready<Answer> {
    ready(Ok(request))
}

/// With this many required checks, of all kinds in turn.
fn health(checks: usize) -> (Health, CircuitBreaker) {
    let health = Health::new();
    let circuit_breaker = CircuitBreaker::builder("backend").build().unwrap();
    for number in 0..checks {
        let name = format!("check {number}");
        match number % 4 {
            0 => health.require(name, circuit_breaker.clone()),
            1 => health.require(name, Bulkhead::builder("slots").build().unwrap()),
            2 => health.require(name, || true),
            _ => health.require(name, AsyncCheck::new(|| async { Ok::<_, BoxError>(()) })),
        }
        .unwrap();
        health.report(format!("shown {number}"), || false).unwrap();
    }
    (health, circuit_breaker)
}

/// RD-08: nothing when ready, with 0, 1 and 8 checks, through a layer, a clone of the service and without tower;
/// nothing when exempt; and nothing to reject, whatever keeps the request out.
#[test]
fn nothing_when_ready_and_nothing_to_reject() {
    for checks in [0, 1, 8] {
        let (health, circuit_breaker) = health(checks);
        let mut service = health.readiness_layer().layer(service_fn(answer));
        let mut refusing = health.readiness_layer().refuse_while_draining().layer(service_fn(answer));
        let mut exempt = health.readiness_layer().exempt(|_: &u32| true).layer(service_fn(answer));
        let starting = measure(|| assert!(matches!(ask(&mut service), Poll::Ready(Err(Error::Rejected(_))))));
        assert_eq!(starting.count_total, 0);
        health.advance(Phase::Serving);
        // The first reader on a thread allocates what the list of checks keeps for that thread.
        assert!(health.is_ready());
        let info = measure(|| {
            assert_eq!(ask(&mut service), Poll::Ready(Ok(7)));
            assert_eq!(ask(&mut service.clone()), Poll::Ready(Ok(7)));
            assert_eq!(ask(&mut exempt), Poll::Ready(Ok(7)));
            drop(health.admit().unwrap());
        });
        assert_eq!(info.count_total, 0, "{checks}");

        circuit_breaker.force_open();
        // The first time, the observer is notified of the change.
        assert_eq!(health.admit().is_err(), checks > 0);
        let info = measure(|| assert_eq!(ask(&mut service).map(|answer| answer.is_err()), Poll::Ready(checks > 0)));
        assert_eq!(info.count_total, 0, "{checks}");
        health.advance(Phase::Draining);
        let draining = measure(|| assert!(matches!(ask(&mut refusing), Poll::Ready(Err(Error::Rejected(_))))));
        assert_eq!((draining.count_total, health.in_flight()), (0, 0));
    }
}

/// RD-07: an exempt request for which the inner service was not made ready allocates, and all of it is freed.
#[test]
fn exempt_while_not_ready() {
    let health = Health::new();
    let mut exempt = health.readiness_layer().exempt(|_: &u32| true).layer(service_fn(answer));
    let info = measure(|| assert_eq!(ask(&mut exempt), Poll::Ready(Ok(7))));
    assert_eq!((info.count_total, info.count_current), (1, 0));
}

/// HE-08: what a run of an asynchronous check allocates is freed, however the run ends.
#[test]
fn runs_are_freed() {
    let check = AsyncCheck::new(|| async { Err::<(), _>("down") });
    let mut cx = Context::from_waker(Waker::noop());
    let info = measure(|| assert!(pin!(check.run()).poll(&mut cx).is_ready()));
    assert!(info.count_total > 0);
    assert_eq!(info.count_current, 0, "{info:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let stuck = AsyncCheck::new(std::future::pending::<Result<(), BoxError>>);
    let mut hang_up = || {
        measure(|| {
            let (mut one, mut two) = (pin!(stuck.run()), pin!(stuck.run()));
            assert!(one.as_mut().poll(&mut cx).is_pending() && two.as_mut().poll(&mut cx).is_pending());
        })
    };
    // The first one allocates what the thread's timer keeps.
    hang_up();
    let info = hang_up();
    assert!(info.count_total > 0);
    assert_eq!(info.count_current, 0, "{info:?}");
}

/// RD-08: the size of its future in memory.
#[test]
fn sizes() {
    type Inner = Ready<Answer>;
    let word = size_of::<usize>();
    // The inner future or the rejection, and the count; neither the request nor the service.
    let size = size_of::<ResponseFuture<Inner, u8, [u8; 1024]>>();
    assert!(size <= size_of::<Inner>() + 3 * word, "{size}");
    assert_eq!(size_of::<Health>(), word);
    assert!(size_of::<ReadinessService<()>>() <= 2 * word);
    let (health, _) = health(0);
    health.advance(Phase::Serving);
    let service = health.readiness_layer().layer(service_fn(answer));
    assert!(size_of_val(&service.oneshot(7)) <= 12 * word);
}
