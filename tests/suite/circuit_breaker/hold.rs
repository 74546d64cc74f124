use std::time::Duration;

use seaworthy::circuit_breaker::TransitionCause;
use seaworthy::{Backoff, CircuitBreaker, Jitter, State, Verdict};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Service, ServiceBuilder, service_fn};

use crate::support::{Line, SECOND, Told, advance, settle};

fn circuit_breaker(told: &Told) -> CircuitBreaker {
    told.by(CircuitBreaker::builder("held").consecutive_failures(1).open_for(SECOND)).build().unwrap()
}

/// PR-09: while held open, a circuit rejects without a retry-after time, whatever the clock says; the last guard
/// dropped decides what comes then.
#[tokio::test(start_paused = true)]
async fn held_by_several() {
    let told = Told::default();
    let circuit_breaker = circuit_breaker(&told);
    let late = circuit_breaker.admit().unwrap();
    let (first, second) = (circuit_breaker.hold_open().unwrap(), circuit_breaker.hold_open().unwrap());
    assert_eq!(told.take(), [Line::Changed(State::Closed, State::Open, TransitionCause::HeldOpen)]);
    advance(100 * SECOND).await;
    assert_eq!(circuit_breaker.admit().unwrap_err().retry_after(), None);
    assert!(circuit_breaker.try_probe().is_none(), "nobody is a probe");
    late.settle(Verdict::Success);
    let snapshot = circuit_breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.held, snapshot.forced), (State::Open, true, false));
    assert_eq!(snapshot.rejected, 1, "a probe that was not given is no rejection");
    first.close();
    assert!(circuit_breaker.snapshot().held && second.is_in_force());
    told.take();
    second.close();
    assert_eq!(told.take(), [Line::Changed(State::Open, State::Closed, TransitionCause::Released)]);
    assert!(circuit_breaker.admit().is_ok());
}

/// PR-09: released without a decision, it is open with its time elapsed.
#[tokio::test(start_paused = true)]
async fn let_go_without_a_word() {
    let told = Told::default();
    let circuit_breaker = circuit_breaker(&told);
    drop(circuit_breaker.hold_open());
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().retry_after), (State::Open, Some(Duration::ZERO)));
    let probe = circuit_breaker.try_probe().unwrap();
    assert!(probe.is_probe() && circuit_breaker.try_probe().is_none() && circuit_breaker.admit().is_err());
    probe.settle(Verdict::Failure);
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(SECOND));
    assert!(circuit_breaker.try_probe().is_none());
    advance(SECOND).await;
    circuit_breaker.try_probe().unwrap().settle(Verdict::Success);
    assert_eq!((circuit_breaker.state(), circuit_breaker.try_probe().is_none()), (State::Closed, true));
}

/// PR-09: forcing or resetting has the last word; a guard from before is void, whenever it is dropped.
#[tokio::test(start_paused = true)]
async fn forced_or_reset() {
    let told = Told::default();
    let circuit_breaker = circuit_breaker(&told);
    let before = circuit_breaker.hold_open().unwrap();
    circuit_breaker.reset();
    assert!(circuit_breaker.admit().is_ok() && !before.is_in_force());
    let after = circuit_breaker.hold_open().unwrap();
    before.close();
    assert!(after.is_in_force(), "it was not this one's to close");
    circuit_breaker.force_open();
    assert!(circuit_breaker.hold_open().is_none());
    after.close();
    assert!(circuit_breaker.snapshot().forced && circuit_breaker.admit().is_err());
    circuit_breaker.force_closed();
    assert!(circuit_breaker.hold_open().is_none() && circuit_breaker.admit().is_ok());

    let watching = CircuitBreaker::builder("watching").observe_only().build().unwrap();
    assert!(watching.hold_open().is_none() && watching.admit().is_ok());
}

/// PR-09, CB-20: a caller that waits for the circuit is woken when it is released, and not before.
#[tokio::test(start_paused = true)]
async fn waiters_are_woken() {
    let circuit_breaker = circuit_breaker(&Told::default());
    settle(&circuit_breaker, &[Verdict::Failure]);
    let hold = circuit_breaker.hold_open().unwrap();
    let inner = service_fn(|()| async { Ok::<(), seaworthy::BoxError>(()) });
    let mut service = ServiceBuilder::new().layer(circuit_breaker.layer().wait()).service(inner);
    let mut ready = task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx)));
    assert_pending!(ready.poll());
    advance(100 * SECOND).await;
    assert!(!ready.is_woken());
    assert_pending!(ready.poll());
    hold.close();
    assert!(ready.is_woken());
    assert_ready!(ready.poll()).unwrap();
}

/// PR-09, CB-12, CB-26: the rest of an open time is not cut short by a guard that is dropped without a decision,
/// however long it is and however often that happens.
#[tokio::test(start_paused = true)]
async fn the_open_time_goes_on() {
    let circuit_breaker = circuit_breaker(&Told::default());
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND / 4).await;
    let holds = [(); 2].map(|()| circuit_breaker.hold_open().unwrap());
    assert_eq!(circuit_breaker.snapshot().retry_after, None);
    advance(SECOND / 4).await;
    drop(holds);
    drop(circuit_breaker.hold_open());
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(SECOND / 2));
    assert_eq!(circuit_breaker.admit().unwrap_err().retry_after(), Some(SECOND / 2));
    let hold = circuit_breaker.hold_open();
    advance(SECOND).await;
    drop(hold);
    assert!(circuit_breaker.admit().unwrap().is_probe());

    let for_ever = CircuitBreaker::builder("for ever").consecutive_failures(1).open_for(Duration::MAX).build().unwrap();
    settle(&for_ever, &[Verdict::Failure]);
    drop(for_ever.hold_open());
    advance(100 * SECOND).await;
    assert_eq!(for_ever.admit().unwrap_err().retry_after(), None);
}

/// PR-09, CB-12: a hold that ends well starts the growth of the open time over.
#[tokio::test(start_paused = true)]
async fn growth_starts_over() {
    let backoff = Backoff::exponential(SECOND, 60 * SECOND).jitter(Jitter::None);
    let circuit_breaker =
        CircuitBreaker::builder("grows").consecutive_failures(1).open_backoff(backoff).build().unwrap();
    let probe_fails = || circuit_breaker.try_probe().unwrap().settle(Verdict::Failure);
    settle(&circuit_breaker, &[Verdict::Failure]);
    advance(SECOND).await;
    probe_fails();
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(2 * SECOND));
    circuit_breaker.hold_open().unwrap().close();
    drop(circuit_breaker.hold_open());
    probe_fails();
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(2 * SECOND));
}
