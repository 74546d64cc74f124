//! Closed, open, and the transitions between them.

use std::time::Duration;

use seaworthy::Verdict::{Failure, Success};
use seaworthy::circuit_breaker::TransitionCause;
use seaworthy::{Backoff, CircuitBreaker, Jitter, Rejected, State};

use crate::support::{Line, MS, SECOND, Told, advance, settle};

/// CB-01: A new circuit is closed; every call passes; all counts are zero.
#[tokio::test(start_paused = true)]
async fn cb_01_a_new_circuit_is_closed() {
    let circuit_breaker = CircuitBreaker::builder("new").build().unwrap();
    let snapshot = circuit_breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.forced, snapshot.generation), (State::Closed, false, 0));
    assert_eq!(snapshot.counts, Default::default());
    assert_eq!((snapshot.rejected, snapshot.retry_after), (0, None));
    let permits: Vec<_> = (0..1_000).map(|_| circuit_breaker.admit().expect("every call passes")).collect();
    assert!(permits.iter().all(|permit| !permit.is_probe()));
}

/// CB-02: The n-th failure in a row opens the circuit during that very call; a success resets the run to 0.
#[tokio::test(start_paused = true)]
async fn cb_02_consecutive_failures() {
    let circuit_breaker = CircuitBreaker::builder("run").consecutive_failures(3).build().unwrap();
    settle(&circuit_breaker, &[Failure, Failure, Success, Failure, Failure]);
    // Two, none, two: never three in a row.
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 2);
    let third = circuit_breaker.admit().unwrap();
    assert_eq!(circuit_breaker.state(), State::Closed);
    third.settle(Failure);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-02: The caller whose failure opens the circuit gets its own error, the next one the rejection.
#[tokio::test(start_paused = true)]
async fn cb_02_the_last_failure_keeps_its_error() {
    let circuit_breaker = CircuitBreaker::builder("run").consecutive_failures(1).build().unwrap();
    let fail = || async { Err::<(), _>(seaworthy::Error::Inner("down")) };
    assert_eq!(circuit_breaker.run(fail()).await, Err(seaworthy::Error::Inner("down")));
    let rejected = circuit_breaker.run(fail()).await.expect_err("open");
    assert!(matches!(rejected, seaworthy::Error::Rejected(Rejected::CircuitOpen { .. })), "{rejected:?}");
}

/// CB-08: While open, every call is rejected with the name and the rest of the open time, never zero.
#[tokio::test(start_paused = true)]
async fn cb_08_rejected_while_open() {
    let circuit_breaker = CircuitBreaker::builder("payments").consecutive_failures(1).open_for(SECOND).build().unwrap();
    settle(&circuit_breaker, &[Failure]);
    for (step, left) in [(Duration::ZERO, SECOND), (MS, 999 * MS), (998 * MS, MS)] {
        advance(step).await;
        let rejected = circuit_breaker.admit().expect_err("open");
        assert_eq!(rejected, Rejected::CircuitOpen { name: "payments".into(), retry_after: Some(left).into() });
    }
    // One nanosecond before the end it is still open, and says so, in whole milliseconds.
    advance(MS - Duration::from_nanos(1)).await;
    assert_eq!(circuit_breaker.admit().expect_err("open").retry_after(), Some(MS));
    advance(Duration::from_nanos(1)).await;
    assert!(circuit_breaker.admit().expect("its time is over").is_probe());
}

/// CB-08: No time is given when it is unknown: forced open, open with no limit, half-open.
#[tokio::test(start_paused = true)]
async fn cb_08_no_time_where_there_is_none() {
    let forced = CircuitBreaker::builder("forced").build().unwrap();
    forced.force_open();
    assert_eq!(forced.admit().expect_err("forced").retry_after(), None);

    let endless = CircuitBreaker::builder("endless").consecutive_failures(1).open_for(Duration::MAX).build().unwrap();
    settle(&endless, &[Failure]);
    assert_eq!(endless.admit().expect_err("open").retry_after(), None);

    let half_open = CircuitBreaker::builder("half-open").consecutive_failures(1).open_for(SECOND).build().unwrap();
    settle(&half_open, &[Failure]);
    advance(SECOND).await;
    let probe = half_open.admit().unwrap();
    assert_eq!(half_open.admit().expect_err("one probe").retry_after(), None);
    drop(probe);
}

/// CB-09: Half-open begins with the first admission at or after the end of the open time, never by reading the state,
/// and never without traffic.
#[tokio::test(start_paused = true)]
async fn cb_09_half_open_begins_with_an_admission() {
    let told = Told::default();
    let builder = CircuitBreaker::builder("lazy").consecutive_failures(1).open_for(SECOND);
    let circuit_breaker = told.by(builder).build().unwrap();
    settle(&circuit_breaker, &[Failure]);
    advance(100 * SECOND).await;
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().state), (State::Open, State::Open));
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(Duration::ZERO));
    assert_eq!(told.changes(), [(State::Closed, State::Open)]);
    let probe = circuit_breaker.admit().expect("its time is over");
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    assert_eq!(told.changes(), [(State::Open, State::HalfOpen)]);
    drop(probe);
}

/// CB-12: A failed probe reopens for a full open time from that moment.
#[tokio::test(start_paused = true)]
async fn cb_12_a_failed_probe_reopens_for_the_full_time() {
    let circuit_breaker = CircuitBreaker::builder("again").consecutive_failures(1).open_for(SECOND).build().unwrap();
    settle(&circuit_breaker, &[Failure]);
    advance(SECOND).await;
    let probe = circuit_breaker.admit().unwrap();
    advance(400 * MS).await;
    probe.settle(Failure);
    assert_eq!(circuit_breaker.admit().expect_err("open").retry_after(), Some(SECOND));
    advance(SECOND).await;
    circuit_breaker.admit().expect("half-open").settle(Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-12: The open time grows with each failed half-open in a row, up to its cap, and starts over once the circuit
/// closes.
#[tokio::test(start_paused = true)]
async fn cb_12_growing_open_time() {
    let backoff = Backoff::exponential(SECOND, 5 * SECOND).jitter(Jitter::None);
    let circuit_breaker =
        CircuitBreaker::builder("grows").consecutive_failures(1).open_backoff(backoff).build().unwrap();
    for _ in 0..2 {
        settle(&circuit_breaker, &[Failure]);
        for seconds in [1, 2, 4, 5, 5] {
            let left = circuit_breaker.admit().expect_err("open").retry_after();
            assert_eq!(left, Some(seconds * SECOND));
            advance(seconds * SECOND).await;
            circuit_breaker.admit().expect("half-open").settle(Failure);
        }
        advance(5 * SECOND).await;
        circuit_breaker.admit().expect("half-open").settle(Success);
    }
}

/// CB-12: Jitter is drawn for each open time, and a seed makes it repeatable.
#[tokio::test(start_paused = true)]
async fn cb_12_jittered_open_time() {
    let times = |seed: u64| async move {
        let backoff = Backoff::exponential(SECOND, SECOND).jitter(Jitter::Equal);
        let builder = CircuitBreaker::builder("jitter").consecutive_failures(1).open_backoff(backoff);
        let circuit_breaker = builder.random_seed(seed).build().unwrap();
        let mut times = Vec::new();
        for _ in 0..20 {
            circuit_breaker.reset();
            settle(&circuit_breaker, &[Failure]);
            times.push(circuit_breaker.snapshot().retry_after.expect("open"));
        }
        times
    };
    let mut first = times(7).await;
    assert_eq!(first, times(7).await);
    assert_ne!(first, times(8).await);
    assert!(first.iter().all(|time| (SECOND / 2..=SECOND).contains(time)), "{first:?}");
    first.sort();
    first.dedup();
    assert!(first.len() > 15, "{first:?}");
}

/// CB-23: Opening and recovering with defaults is reported as three changes, in order, with causes and counts, each
/// once.
#[tokio::test(start_paused = true)]
async fn cb_23_trip_and_recover() {
    let told = Told::default();
    let circuit_breaker = told.by(CircuitBreaker::builder("default")).build().unwrap();
    settle(&circuit_breaker, &[Failure; 5]);
    advance(30 * SECOND).await;
    settle(&circuit_breaker, &[Success]);
    let changes = [
        Line::Changed(State::Closed, State::Open, TransitionCause::ConsecutiveFailures),
        Line::Changed(State::Open, State::HalfOpen, TransitionCause::OpenTimeElapsed),
        Line::Changed(State::HalfOpen, State::Closed, TransitionCause::ProbesSucceeded),
    ];
    assert_eq!(told.take(), changes);
}

/// CB-26: `Duration::MAX` stays open until reset and never overflows.
#[tokio::test(start_paused = true)]
async fn cb_26_open_without_end() {
    let circuit_breaker =
        CircuitBreaker::builder("endless").consecutive_failures(1).open_for(Duration::MAX).build().unwrap();
    settle(&circuit_breaker, &[Failure]);
    for _ in 0..3 {
        advance(Duration::from_secs(10 * 365 * 24 * 3600)).await;
        assert!(circuit_breaker.admit().is_err());
    }
    circuit_breaker.reset();
    assert!(circuit_breaker.admit().is_ok());
}

/// CB-28: Two circuit breakers never influence each other, even when built from one template.
#[tokio::test(start_paused = true)]
async fn cb_28_two_circuits() {
    let template = CircuitBreaker::builder("a").consecutive_failures(1);
    let (a, b) = (template.clone().build().unwrap(), template.name("b").build().unwrap());
    settle(&a, &[Failure]);
    assert_eq!((a.state(), b.state()), (State::Open, State::Closed));
    b.force_open();
    a.reset();
    assert_eq!((a.state(), b.state()), (State::Closed, State::Open));
    assert_eq!((a.name().as_str(), b.name().as_str()), ("a", "b"));
}
