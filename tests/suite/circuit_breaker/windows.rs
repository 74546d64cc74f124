//! Rates, windows and slow calls.

use std::time::Duration;

use seaworthy::Verdict::{self, Failure, Ignored, Success, Throttled};
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, TransitionCause};
use seaworthy::{CircuitBreaker, State};

use crate::support::{Line, MS, SECOND, Told, advance, settle};

/// How many verdicts of the list it takes to open the circuit.
fn opens_after(circuit_breaker: &CircuitBreaker, verdicts: &[Verdict]) -> Option<usize> {
    verdicts.iter().position(|verdict| {
        settle(circuit_breaker, &[*verdict]);
        circuit_breaker.state() == State::Open
    })
}

fn half() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("rate").failure_rate(0.5)
}

/// CB-03: W=10 at 50 %: after 1,000 successes it opens on exactly the 5th failure.
#[tokio::test(start_paused = true)]
async fn cb_03_the_count_window_slides() {
    let circuit_breaker = half().count_window(10).build().unwrap();
    settle(&circuit_breaker, &[Success; 1_000]);
    assert_eq!(circuit_breaker.snapshot().counts.calls, 10);
    assert_eq!(opens_after(&circuit_breaker, &[Failure; 10]), Some(4));
}

/// CB-03: A failure leaves the ring with the tenth verdict after it, not with a batch.
#[tokio::test(start_paused = true)]
async fn cb_03_a_failure_leaves_after_exactly_w_verdicts() {
    let circuit_breaker = half().count_window(10).build().unwrap();
    settle(&circuit_breaker, &[Success; 13]);
    settle(&circuit_breaker, &[Failure]);
    for _ in 0..9 {
        assert_eq!(circuit_breaker.snapshot().counts.failures, 1);
        settle(&circuit_breaker, &[Success]);
    }
    assert_eq!(circuit_breaker.snapshot().counts.failures, 1);
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.snapshot().counts.failures, 0);
}

/// CB-03: Old failures make room for new ones: four in ten never open at 50 %, however long it goes on.
#[tokio::test(start_paused = true)]
async fn cb_03_a_steady_rate_below_the_threshold_never_opens() {
    let circuit_breaker = half().count_window(10).build().unwrap();
    let verdicts = [Failure, Success, Failure, Success, Failure, Success, Success, Failure, Success, Success];
    for _ in 0..100 {
        settle(&circuit_breaker, &verdicts);
    }
    assert_eq!(circuit_breaker.snapshot().counts.failure_rate(), Some(0.4));
}

/// CB-04: A verdict counts from when it is settled, never leaves before the span is over, and is gone a tenth of the
/// span later; reading a snapshot evicts.
#[tokio::test(start_paused = true)]
async fn cb_04_a_verdict_stays_for_the_span() {
    let circuit_breaker = half().time_window(10 * SECOND).build().unwrap();
    for offset in [0, 1, 333, 999] {
        advance(offset * MS).await;
        let permit = circuit_breaker.admit().unwrap();
        advance(7 * SECOND).await;
        permit.settle(Failure);
        advance(10 * SECOND - Duration::from_nanos(1)).await;
        assert_eq!(circuit_breaker.snapshot().counts.failures, 1, "admitted 17 s ago, settled not quite 10 s ago");
        advance(SECOND + Duration::from_nanos(1)).await;
        assert_eq!(circuit_breaker.snapshot().counts.failures, 0, "settled 11 s ago");
    }
}

/// CB-04: Idle gaps of any length neither break it nor bring back what has expired.
#[tokio::test(start_paused = true)]
async fn cb_04_idle_gaps() {
    let circuit_breaker = half().time_window(SECOND).minimum_calls(2).build().unwrap();
    for gap in [SECOND, 60 * SECOND, 24 * 3600 * SECOND, 3 * 365 * 24 * 3600 * SECOND] {
        settle(&circuit_breaker, &[Failure]);
        advance(gap + SECOND).await;
        let counts = circuit_breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failures), (0, 0), "after {gap:?}");
    }
    // It still works: two failures at once open it.
    assert_eq!(opens_after(&circuit_breaker, &[Failure; 5]), Some(1));
}

/// CB-04: Successes count in the window, too, and dilute.
#[tokio::test(start_paused = true)]
async fn cb_04_successes_age_as_failures_do() {
    let circuit_breaker = half().time_window(10 * SECOND).minimum_calls(5).build().unwrap();
    settle(&circuit_breaker, &[Success; 100]);
    advance(5 * SECOND).await;
    settle(&circuit_breaker, &[Failure; 20]);
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert_eq!(circuit_breaker.snapshot().counts.calls, 120);
    // The successes are gone; the 20 failures are left, and the next verdict judges them.
    advance(7 * SECOND).await;
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert_eq!(circuit_breaker.snapshot().counts.failure_rate(), Some(1.0));
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-05: The window need not be full; below the minimum no rate means anything; the comparison is `>=`; a success can
/// be the verdict that opens.
#[tokio::test(start_paused = true)]
async fn cb_05_minimum_calls() {
    let windows = [half().count_window(10).minimum_calls(5), half().time_window(SECOND).minimum_calls(5)];
    for builder in windows {
        let fresh = || builder.clone().build().unwrap();
        assert_eq!(opens_after(&fresh(), &[Failure; 4]), None);
        assert_eq!(opens_after(&fresh(), &[Failure; 5]), Some(4));
        assert_eq!(opens_after(&fresh(), &[Failure, Failure, Failure, Success, Success]), Some(4));
        assert_eq!(opens_after(&fresh(), &[Failure, Failure, Success, Success, Success]), None);
    }
}

/// CB-05: By default the minimum is the whole count window, or 20 for a time window.
#[tokio::test(start_paused = true)]
async fn cb_05_default_minimum() {
    let by_count = half().count_window(7).build().unwrap();
    assert_eq!(opens_after(&by_count, &[Failure; 30]), Some(6));
    let by_time = half().time_window(SECOND).build().unwrap();
    assert_eq!(opens_after(&by_time, &[Failure; 30]), Some(19));
    let default_window = half().build().unwrap();
    assert_eq!(opens_after(&default_window, &[Failure; 200]), Some(99));
}

/// CB-05: A rate that equals its threshold as a decimal reaches it.
#[tokio::test(start_paused = true)]
async fn cb_05_thresholds_that_no_float_holds() {
    for tenths in 1..=10_usize {
        let threshold = tenths as f64 / 10.0;
        let circuit_breaker = CircuitBreaker::builder("rate").failure_rate(threshold).count_window(10).build().unwrap();
        let mut verdicts = vec![Success; 10 - tenths];
        verdicts.extend(vec![Failure; tenths]);
        assert_eq!(opens_after(&circuit_breaker, &verdicts), Some(9), "{threshold}");
    }
}

/// CB-06: Slow means strictly longer than the limit; it has its own threshold and can open the circuit by itself.
#[tokio::test(start_paused = true)]
async fn cb_06_slow_calls() {
    let told = Told::default();
    let builder = CircuitBreaker::builder("slow").slow_call(100 * MS).slow_rate(0.5).count_window(4);
    let circuit_breaker = told.by(builder).build().unwrap();
    let call = |took: Duration, verdict| {
        let permit = circuit_breaker.admit().unwrap();
        async move {
            advance(took).await;
            permit.settle(verdict);
        }
    };
    for _ in 0..10 {
        call(100 * MS, Success).await;
    }
    assert_eq!(circuit_breaker.snapshot().counts.slow, 0, "exactly the limit is not slow");
    call(101 * MS, Success).await;
    assert_eq!(circuit_breaker.snapshot().counts.slow, 1);
    assert_eq!(circuit_breaker.snapshot().counts.failures, 0, "slow is no failure");
    call(MS, Failure).await;
    assert_eq!(circuit_breaker.state(), State::Closed, "failures have no rule here");
    call(101 * MS, Failure).await;
    assert_eq!(told.take(), [Line::Changed(State::Closed, State::Open, TransitionCause::SlowRate)]);
}

/// CB-06: In half-open a slow call is a failed trial, even if it succeeded.
#[tokio::test(start_paused = true)]
async fn cb_06_a_slow_probe_fails() {
    let builder = CircuitBreaker::builder("slow").slow_call(100 * MS).consecutive_failures(1).open_for(SECOND);
    let circuit_breaker = builder.build().unwrap();
    for (took, state) in [(101, State::Open), (100, State::Closed)] {
        circuit_breaker.reset();
        settle(&circuit_breaker, &[Failure]);
        advance(SECOND).await;
        let probe = circuit_breaker.admit().unwrap();
        advance(took * MS).await;
        probe.settle(Success);
        assert_eq!(circuit_breaker.state(), state, "{took} ms");
    }
}

/// CB-07: The first of several rules to be broken opens the circuit.
#[tokio::test(start_paused = true)]
async fn cb_07_rules_combine() {
    let told = Told::default();
    let builder = half().consecutive_failures(3).count_window(10).slow_call(MS).slow_rate(1.0).minimum_calls(4);
    let circuit_breaker = told.by(builder).build().unwrap();
    let cause = |verdicts: &[Verdict]| {
        circuit_breaker.reset();
        told.take();
        settle(&circuit_breaker, verdicts);
        match told.take()[..] {
            [Line::Changed(State::Closed, State::Open, cause)] => Some(cause),
            _ => None,
        }
    };
    assert_eq!(cause(&[Failure; 3]), Some(TransitionCause::ConsecutiveFailures));
    assert_eq!(cause(&[Failure, Success, Failure, Success]), Some(TransitionCause::FailureRate));
    assert_eq!(cause(&[Failure, Success, Success, Success]), None);
    circuit_breaker.reset();
    told.take();
    for _ in 0..4 {
        let permit = circuit_breaker.admit().unwrap();
        advance(2 * MS).await;
        permit.settle(Success);
    }
    assert_eq!(told.take(), [Line::Changed(State::Closed, State::Open, TransitionCause::SlowRate)]);
}

/// CB-07: Naming a rate turns the default rule off; naming none leaves it on.
#[tokio::test(start_paused = true)]
async fn cb_07_the_default_rule() {
    let with_rate = CircuitBreaker::builder("rate").failure_rate(1.0).count_window(100).build().unwrap();
    assert_eq!(opens_after(&with_rate, &[Failure; 99]), None);
    let without = CircuitBreaker::builder("default").build().unwrap();
    assert_eq!(opens_after(&without, &[Failure; 99]), Some(4));
}

/// CB-13: Ignored changes no count and does not end a run of failures.
#[tokio::test(start_paused = true)]
async fn cb_13_ignored_is_not_counted() {
    let circuit_breaker = half().consecutive_failures(3).count_window(100).build().unwrap();
    settle(&circuit_breaker, &[Failure, Ignored, Failure, Ignored]);
    let counts = circuit_breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.failures, counts.consecutive_failures), (2, 2, 2));
    settle(&circuit_breaker, &[Failure]);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-30: Throttled counts as a failure in the rate and leaves a run of failures as it is.
#[tokio::test(start_paused = true)]
async fn cb_30_throttled() {
    let run = CircuitBreaker::builder("run").consecutive_failures(2).build().unwrap();
    assert_eq!(opens_after(&run, &[Throttled, Throttled, Failure, Throttled, Failure]), Some(4));
    let rate = half().count_window(4).build().unwrap();
    assert_eq!(opens_after(&rate, &[Success, Success, Throttled, Throttled]), Some(3));
}
