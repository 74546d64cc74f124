//! Probes, trials, and verdicts that come too late.

use std::time::Duration;

use seaworthy::Verdict::{Failure, Ignored, Success, Throttled};
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, Permit, TransitionCause};
use seaworthy::{CircuitBreaker, OnDrop, State};

use crate::support::{Line, MS, SECOND, Told, advance, settle};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("half-open").consecutive_failures(1).open_for(SECOND)
}

/// Opens the circuit and lets the open time pass.
async fn due(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let circuit_breaker = builder.build().unwrap();
    settle(&circuit_breaker, &[Failure]);
    advance(SECOND).await;
    circuit_breaker
}

fn admitted(circuit_breaker: &CircuitBreaker, callers: usize) -> Vec<Permit> {
    (0..callers).filter_map(|_| circuit_breaker.admit().ok()).collect()
}

/// CB-10: Of any number of simultaneous callers exactly `max_concurrent_probes` are let in, including the one that
/// makes it half-open.
#[tokio::test(start_paused = true)]
async fn cb_10_single_flight() {
    for probes in [1, 2, 7] {
        let circuit_breaker = due(builder().max_concurrent_probes(probes).max_trials(10)).await;
        let permits = admitted(&circuit_breaker, 50);
        assert_eq!(permits.len(), probes as usize);
        assert!(permits.iter().all(Permit::is_probe));
        assert_eq!(circuit_breaker.snapshot().rejected, 50 - u64::from(probes));
    }
}

/// CB-10: Of real threads that arrive at once, one is let in.
#[test]
fn cb_10_single_flight_of_threads() {
    for _ in 0..200 {
        let open_for = Duration::from_nanos(1);
        let timeout = Duration::from_secs(3600);
        let builder =
            CircuitBreaker::builder("threads").consecutive_failures(1).open_for(open_for).probe_timeout(timeout);
        let circuit_breaker = builder.build().unwrap();
        settle(&circuit_breaker, &[Failure]);
        let start = std::sync::Barrier::new(4);
        let permits: Vec<_> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        circuit_breaker.admit().ok()
                    })
                })
                .collect();
            callers.into_iter().filter_map(|caller| caller.join().unwrap()).collect()
        });
        assert_eq!(permits.len(), 1);
    }
}

/// CB-11: Closes when `success_threshold` probes have succeeded, and reopens as soon as that is impossible.
#[tokio::test(start_paused = true)]
async fn cb_11_decided_at_the_earliest_moment() {
    let table: [(&[_], _); 6] = [
        (&[Success], State::HalfOpen),
        (&[Success, Success], State::Closed),
        (&[Failure, Success], State::HalfOpen),
        (&[Failure, Success, Success], State::Closed),
        (&[Failure, Failure], State::Open),
        (&[Success, Failure, Throttled], State::Open),
    ];
    for (verdicts, state) in table {
        let circuit_breaker = due(builder().success_threshold(2).max_trials(3)).await;
        settle(&circuit_breaker, verdicts);
        assert_eq!(circuit_breaker.state(), state, "{verdicts:?}");
    }
}

/// CB-11: In flight and settled together never exceed the trials: after 1 verdict of 3 with 2 in flight, no fourth.
#[tokio::test(start_paused = true)]
async fn cb_11_never_more_than_the_trials() {
    let circuit_breaker = due(builder().success_threshold(2).max_trials(3).max_concurrent_probes(3)).await;
    let mut permits = admitted(&circuit_breaker, 9);
    assert_eq!(permits.len(), 3);
    permits.pop().unwrap().settle(Success);
    assert_eq!(admitted(&circuit_breaker, 9).len(), 0, "one settled, two in flight");
    // An ignored probe releases its permit and its trial.
    permits.pop().unwrap().settle(Ignored);
    assert_eq!(admitted(&circuit_breaker, 9).len(), 1);
}

/// CB-11: By default the number of trials is that of the successes needed.
#[tokio::test(start_paused = true)]
async fn cb_11_successes_without_trials() {
    let circuit_breaker = due(builder().success_threshold(2)).await;
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.state(), State::Closed);
    let circuit_breaker = due(builder().success_threshold(2)).await;
    settle(&circuit_breaker, &[Failure]);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-13: An ignored probe neither closes nor reopens and releases its permit at once.
#[tokio::test(start_paused = true)]
async fn cb_13_an_ignored_probe() {
    let circuit_breaker = due(builder()).await;
    for _ in 0..100 {
        let probe = circuit_breaker.admit().expect("the permit is free again");
        assert!(circuit_breaker.admit().is_err());
        probe.settle(Ignored);
        assert_eq!(circuit_breaker.state(), State::HalfOpen);
    }
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-14: A verdict from an older generation changes nothing: a late success does not close.
#[tokio::test(start_paused = true)]
async fn cb_14_a_late_success_does_not_close() {
    let circuit_breaker = builder().build().unwrap();
    let late = circuit_breaker.admit().unwrap();
    settle(&circuit_breaker, &[Failure]);
    advance(SECOND).await;
    let probe = circuit_breaker.admit().unwrap();
    late.settle(Success);
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    assert!(circuit_breaker.admit().is_err(), "it freed no permit");
    probe.settle(Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-14: A late failure neither reopens nor extends the open time, and does not count.
#[tokio::test(start_paused = true)]
async fn cb_14_a_late_failure_does_not_open() {
    let circuit_breaker = builder().build().unwrap();
    let late: Vec<_> = admitted(&circuit_breaker, 5);
    let [one, two, three, four, five] = <[Permit; 5]>::try_from(late).unwrap();
    settle(&circuit_breaker, &[Failure]);
    advance(SECOND / 2).await;
    one.settle(Failure);
    assert_eq!(circuit_breaker.admit().expect_err("open").retry_after(), Some(SECOND / 2), "not lengthened");
    advance(SECOND / 2).await;
    let probe = circuit_breaker.admit().unwrap();
    two.settle(Failure);
    assert_eq!(circuit_breaker.state(), State::HalfOpen, "not reopened");
    probe.settle(Success);
    three.settle(Failure);
    assert_eq!(circuit_breaker.state(), State::Closed);
    assert_eq!(circuit_breaker.snapshot().counts, Default::default(), "not counted");
    circuit_breaker.reset();
    drop(four);
    five.settle(Success);
    assert_eq!(circuit_breaker.snapshot().counts, Default::default());
}

/// CB-14: Nor does the probe of an earlier half-open take or free a permit in a later one.
#[tokio::test(start_paused = true)]
async fn cb_14_a_probe_of_an_earlier_half_open() {
    let circuit_breaker = due(builder().max_concurrent_probes(2).max_trials(2).success_threshold(2)).await;
    let [failing, late] = <[Permit; 2]>::try_from(admitted(&circuit_breaker, 2)).unwrap();
    failing.settle(Failure);
    advance(SECOND).await;
    let now = admitted(&circuit_breaker, 5);
    assert_eq!((circuit_breaker.state(), now.len()), (State::HalfOpen, 2));
    late.settle(Success);
    assert!(circuit_breaker.admit().is_err(), "it freed no permit");
    let counts = circuit_breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.failures), (0, 0));
}

/// CB-15: A dropped probe releases its permit at once; ignored, its trial, too; as a failure it is a failed trial.
#[tokio::test(start_paused = true)]
async fn cb_15_a_dropped_probe() {
    let circuit_breaker = due(builder()).await;
    for _ in 0..100 {
        drop(circuit_breaker.admit().expect("permit and trial are back"));
    }
    assert_eq!(circuit_breaker.state(), State::HalfOpen);

    let circuit_breaker = due(builder().on_drop(OnDrop::Failure)).await;
    drop(circuit_breaker.admit().unwrap());
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-16: A probe that panics reopens the circuit.
#[tokio::test(start_paused = true)]
async fn cb_16_a_panicking_probe() {
    let circuit_breaker = due(builder()).await;
    let probe = circuit_breaker.admit().unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = probe;
        panic!("on purpose");
    }));
    assert!(panic.is_err());
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(SECOND));
}

/// CB-17: A probe that never ends times out at exactly its deadline, by default after the open time; the new open time
/// runs from that deadline.
#[tokio::test(start_paused = true)]
async fn cb_17_a_hung_probe_is_given_up() {
    let told = Told::default();
    let circuit_breaker = due(told.by(builder())).await;
    let hung = circuit_breaker.admit().unwrap();
    told.take();
    advance(SECOND - Duration::from_nanos(1)).await;
    assert!(circuit_breaker.admit().is_err());
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    advance(Duration::from_nanos(1)).await;
    assert_eq!(circuit_breaker.state(), State::HalfOpen, "nobody has noticed yet");
    let rejected = circuit_breaker.admit().expect_err("open again");
    assert_eq!(rejected.retry_after(), Some(SECOND));
    assert_eq!(told.take()[1], Line::Changed(State::HalfOpen, State::Open, TransitionCause::ProbeTimedOut));
    // Its ticket is void.
    hung.settle(Success);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-17: After a long silence the very call that notices may be the next probe.
#[tokio::test(start_paused = true)]
async fn cb_17_noticed_after_a_long_silence() {
    let told = Told::default();
    let circuit_breaker = due(told.by(builder())).await;
    let hung = circuit_breaker.admit().unwrap();
    told.take();
    advance(2 * SECOND).await;
    let probe = circuit_breaker.admit().expect("reopened a second ago");
    assert_eq!(told.changes(), [(State::HalfOpen, State::Open), (State::Open, State::HalfOpen)]);
    hung.settle(Failure);
    assert_eq!(circuit_breaker.state(), State::HalfOpen, "void");
    probe.settle(Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-17: Its own verdict after the deadline is what reveals it, and does not count.
#[tokio::test(start_paused = true)]
async fn cb_17_its_own_late_verdict() {
    let circuit_breaker = due(builder().probe_timeout(100 * MS)).await;
    let hung = circuit_breaker.admit().unwrap();
    advance(300 * MS).await;
    hung.settle(Success);
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(800 * MS), "from the deadline, which was 200 ms ago");
    let just_in_time = due(builder().probe_timeout(100 * MS)).await;
    let probe = just_in_time.admit().unwrap();
    advance(100 * MS - Duration::from_nanos(1)).await;
    probe.settle(Success);
    assert_eq!(just_in_time.state(), State::Closed);
}

/// CB-17: If trials are left, a probe that timed out is one failed trial among others.
#[tokio::test(start_paused = true)]
async fn cb_17_one_failed_trial_of_several() {
    let circuit_breaker = due(builder().max_trials(3).success_threshold(2).probe_timeout(100 * MS)).await;
    let _hung = circuit_breaker.admit().unwrap();
    advance(100 * MS).await;
    settle(&circuit_breaker, &[Success, Success]);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-17: No sequence of hung, dropped, panicking and ignored probes leaves a healthy service rejected for ever.
#[tokio::test(start_paused = true)]
async fn cb_17_nothing_wedges_it() {
    let circuit_breaker = due(builder()).await;
    let mut hung = Vec::new();
    for round in 0..200 {
        if let Ok(probe) = circuit_breaker.admit() {
            match round % 4 {
                0 => hung.push(probe),
                1 => drop(probe),
                2 => probe.settle(Ignored),
                _ => {
                    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                        let _held = probe;
                        panic!("on purpose");
                    }));
                    assert!(unwound.is_err());
                }
            }
        }
        advance(300 * MS).await;
    }
    advance(2 * SECOND).await;
    settle(&circuit_breaker, &[Success]);
    assert_eq!(circuit_breaker.state(), State::Closed);
    drop(hung);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-30: A throttled probe is a failed trial.
#[tokio::test(start_paused = true)]
async fn cb_30_a_throttled_probe() {
    let circuit_breaker = due(builder()).await;
    settle(&circuit_breaker, &[Throttled]);
    assert_eq!(circuit_breaker.state(), State::Open);
}
