//! ER-09: panics whose payload panics when it is dropped, with another such payload.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy::{AsyncCheck, BoxError, CircuitBreaker, Event, Health, Phase, Rejected, State, Status, Verdict};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Bomb);
    }
}

fn serving() -> Health {
    let health = Health::new();
    health.advance(Phase::Serving);
    health
}

/// ER-09: a check that panics with it is down, for a request and in a report, and nothing else is affected.
#[tokio::test]
async fn a_check() {
    let health = serving();
    health.require("bad", || -> bool { panic_any(Bomb) }).unwrap();
    for _ in 0..2 {
        assert_eq!(health.admit().unwrap_err(), Rejected::NotReady { reason: "bad".into(), retry_after: None.into() });
    }
    let report = health.run_checks().await;
    assert_eq!(report.checks[0].status, Status::Down("panicked: a panic without a message".into()));
    assert!(health.remove("bad") && health.admit().is_ok());
    assert_eq!(health.in_flight(), 0);
}

/// ER-09: an asynchronous check that panics with it, when polled or dropped, has failed, and is run again.
#[tokio::test(start_paused = true)]
async fn an_asynchronous_check() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let check = AsyncCheck::new(move || {
        let run = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let _bomb = (run == 1).then(|| Bomb);
            match run {
                0 => panic_any(Bomb),
                1 => std::future::pending().await,
                _ => Ok::<(), BoxError>(()),
            }
        }
    });
    assert_eq!(check.run().await, Status::Down("panicked: a panic without a message".into()));
    assert_eq!(check.run().await, Status::Down("timed out after 500ms".into()));
    assert_eq!(check.run().await, Status::Up);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}

/// ER-09: an observer that panics with it changes nothing for the call it is notified of.
#[test]
fn an_observer() {
    let circuit_breaker = CircuitBreaker::builder("ship")
        .consecutive_failures(1)
        .observer(|_: &Event<'_>| panic_any(Bomb))
        .build()
        .unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    assert_eq!(circuit_breaker.state(), State::Open);
    assert!(circuit_breaker.admit().is_err());
    circuit_breaker.reset();
    circuit_breaker.admit().unwrap().settle(Verdict::Success);
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 1));
}

/// ER-09: a task and a hook that panic with it have failed, and everything after them is still done.
#[cfg(feature = "lifecycle")]
#[tokio::test(start_paused = true)]
async fn a_task() {
    use seaworthy::Runner;
    let runner = Runner::builder().signals([]).build().unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&done);
    let last = async move || {
        counts.fetch_add(1, Ordering::Relaxed);
        Ok::<_, BoxError>(())
    };
    runner.cleanup("last", last).unwrap();
    runner.on_stop("hook", async || -> Result<(), BoxError> { panic_any(Bomb) }).unwrap();
    runner.task("task", async |_| -> Result<(), BoxError> { panic_any(Bomb) }).unwrap();
    let error = runner.run().await.unwrap_err();
    assert_eq!((error.failures().count(), done.load(Ordering::Relaxed)), (2, 1));
}

/// ER-09: the same goes for a probe, when polled or dropped; the prober goes on.
#[cfg(feature = "prober")]
#[tokio::test(start_paused = true)]
async fn a_probe() {
    use seaworthy::prober::{ProbePolicy, Prober};
    let prober = Prober::builder().build().unwrap();
    let polled = prober.add("polled", ProbePolicy::default(), || async { bomb() }).unwrap();
    let dropped = prober
        .add("dropped", ProbePolicy::default(), || async {
            let _bomb = Bomb;
            std::future::pending::<Result<(), BoxError>>().await
        })
        .unwrap();
    let fine = prober.add("fine", ProbePolicy::default(), || async { Ok::<_, BoxError>(()) }).unwrap();
    prober.run(crate::support::pass(crate::support::SECOND * 25)).await;
    let failures = [polled, dropped, fine].map(|target| target.status().unwrap().failures);
    assert_eq!(failures, [3, 2, 0]);
}

#[cfg(feature = "prober")]
fn bomb() -> Result<(), BoxError> {
    panic_any(Bomb)
}
