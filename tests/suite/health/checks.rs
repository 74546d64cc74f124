use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use seaworthy::health::CheckReport;
use seaworthy::{AsyncCheck, BoxError, Bulkhead, Check, CircuitBreaker, Health, Name, Phase, State, Status, Verdict};

use super::{Switch, serving};
use crate::support::{MS, SECOND, advance, settle};

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("backend").consecutive_failures(1).open_for(SECOND).build().unwrap()
}

fn open(name: &'static str) -> Status {
    Status::Down(Name::from(name))
}

/// RD-02, RD-03: a circuit is down for exactly its open time, and up while half-open; asking changes nothing (CB-09).
#[tokio::test(start_paused = true)]
async fn a_circuit() {
    let circuit_breaker = circuit_breaker();
    assert_eq!(circuit_breaker.status(), Status::Up);
    settle(&circuit_breaker, &[Verdict::Failure]);
    let before = circuit_breaker.snapshot();
    assert_eq!(circuit_breaker.status(), open("circuit open"));
    advance(SECOND - MS).await;
    assert_eq!(circuit_breaker.status(), open("circuit open"));
    advance(MS).await;
    // From now on a call has to come and probe.
    assert_eq!((circuit_breaker.status(), circuit_breaker.state()), (Status::Up, State::Open));
    let after = circuit_breaker.snapshot();
    assert_eq!((before.generation, before.rejected), (after.generation, after.rejected));

    let probe = circuit_breaker.admit().unwrap();
    assert_eq!((circuit_breaker.status(), circuit_breaker.state()), (Status::Up, State::HalfOpen));
    assert!(circuit_breaker.admit().is_err());
    probe.settle(Verdict::Failure);
    assert_eq!(circuit_breaker.status(), open("circuit open"));
    advance(SECOND).await;
    circuit_breaker.admit().unwrap().settle(Verdict::Success);
    assert_eq!((circuit_breaker.status(), circuit_breaker.state()), (Status::Up, State::Closed));
}

/// RD-02: a circuit that was forced open is down while that lasts; so is one that is open for ever.
#[tokio::test(start_paused = true)]
async fn a_circuit_without_end() {
    let circuit_breaker = circuit_breaker();
    circuit_breaker.force_open();
    advance(SECOND * 3600 * 24 * 365).await;
    assert_eq!(circuit_breaker.status(), open("circuit open"));
    circuit_breaker.force_closed();
    assert_eq!(circuit_breaker.status(), Status::Up);
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.status(), Status::Up);

    let for_ever =
        CircuitBreaker::builder("x").consecutive_failures(1).open_for(std::time::Duration::MAX).build().unwrap();
    settle(&for_ever, &[Verdict::Failure]);
    advance(SECOND * 3600 * 24 * 365).await;
    assert_eq!(for_ever.status(), open("circuit open"));
    for_ever.reset();
    assert_eq!(for_ever.leak().status(), Status::Up);
}

/// RD-02: a bulkhead is down while it is full.
#[test]
fn a_bulkhead() {
    let bulkhead = Bulkhead::builder("work").limit(1).build().unwrap();
    assert_eq!(bulkhead.status(), Status::Up);
    let permit = bulkhead.try_acquire().unwrap();
    assert_eq!((bulkhead.status(), bulkhead.snapshot().rejected), (open("bulkhead full"), 0));
    drop(permit);
    assert_eq!((bulkhead.status(), bulkhead.available()), (Status::Up, 1));
}

/// RD-02: so are closures of two kinds, shared checks, and the phase of a service, even of the same one.
#[test]
fn closures_and_phases() {
    assert_eq!((|| true).status(), Status::Up);
    assert_eq!((|| false).status(), open("down"));
    assert_eq!((|| Status::Down("ill".into())).status().reason().map(Name::as_str), Some("ill"));
    let shared: Arc<dyn Check> = Arc::new(AsyncCheck::new(|| async { Ok::<_, BoxError>(()) }));
    assert!(shared.status().is_up() && shared.as_async().is_some());
    assert!((|| true).as_async().is_none());

    let health = Health::new();
    health.require("itself", health.clone()).unwrap();
    assert_eq!(health.status(), open("starting"));
    health.advance(Phase::Serving);
    assert!(health.is_ready() && health.status().is_up());
    health.advance(Phase::Draining);
    assert_eq!(health.status(), open("shutting down"));
    health.remove("itself");
}

/// HE-07: an empty name is an error, and changes nothing; a check replaces another of the same name, of either kind.
#[tokio::test]
async fn names() {
    let health = serving();
    let error = health.require("", || false).unwrap_err();
    assert_eq!((error.field(), error.rule()), ("name", "must not be empty"));
    assert!(health.report(String::new(), || false).is_err());
    assert!(health.is_ready() && health.run_checks().await.checks.is_empty());

    health.require("a", || false).unwrap();
    assert!(!health.is_ready());
    health.report("a", || false).unwrap();
    assert!(health.is_ready());
    let report = health.run_checks().await;
    let [CheckReport { name, required: false, status, .. }] = &report.checks[..] else { panic!("{report:?}") };
    assert_eq!((name.as_str(), status), ("a", &open("down")));
    assert!(report.is_ready());
    health.require("a", || false).unwrap();
    assert!(!health.is_ready() && !health.run_checks().await.is_ready());
    health.require(String::from("a"), || true).unwrap();
    assert!(health.is_ready());
}

/// HE-05: a check that panics is down, for a request and in a report; the others are asked all the same.
#[tokio::test]
async fn a_check_that_panics() {
    let health = serving();
    let other = Switch::default();
    health.require("bad", || -> bool { panic!("on purpose") }).unwrap();
    health.require("good", other.clone()).unwrap();
    assert_eq!(health.admit().unwrap_err().to_string(), "not ready: bad");
    let report = health.run_checks().await;
    assert_eq!((report.checks[0].status.is_up(), report.checks[1].status.is_up(), other.asked()), (false, true, 1));

    struct Wrapper;
    impl Check for Wrapper {
        fn status(&self) -> Status {
            Status::Up
        }

        fn as_async(&self) -> Option<&AsyncCheck> {
            panic!("on purpose")
        }
    }
    health.require("bad", Wrapper).unwrap();
    // Its immediate answer is all that is known then.
    assert!(health.run_checks().await.is_ready());
    assert_eq!(health.in_flight(), 0);
}

/// HE-07: checks come and go while others are asked; none is asked after its removal returned, and all of them are
/// dropped.
#[test]
fn registering_while_requests_run() {
    let health = serving();
    let alive = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    thread::scope(|scope| {
        for writer in 0..2 {
            let (health, alive) = (&health, &alive);
            scope.spawn(move || {
                for round in 0..200 {
                    alive.fetch_add(1, Ordering::SeqCst);
                    let counted = Counted(Arc::clone(alive));
                    let name = format!("{writer}-{}", round % 3);
                    health.require(name.clone(), move || !std::ptr::eq(&counted.0, std::ptr::null())).unwrap();
                    if round % 5 == 0 {
                        assert!(health.remove(&name));
                    }
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| (0..2000).for_each(|_| drop(health.admit().unwrap())));
        }
    });
    assert_eq!(health.in_flight(), 0);
    for writer in 0..2 {
        for round in 0..3 {
            health.remove(&format!("{writer}-{round}"));
        }
    }
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
