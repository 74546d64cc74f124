//! Force, reset, observing, snapshots, observers, leaking, and use without tower.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use seaworthy::Verdict::{Failure, Ignored, Success};
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, TransitionCause};
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{CircuitBreaker, Error, Event, Rejected, State};

use crate::support::{Line, MS, SECOND, Told, advance, settle};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("control").consecutive_failures(2).open_for(SECOND)
}

/// CB-21: `force_open` holds until it is released: no timer and no verdict ends it.
#[tokio::test(start_paused = true)]
async fn cb_21_force_open() {
    let circuit_breaker = builder().build().unwrap();
    let earlier = circuit_breaker.admit().unwrap();
    circuit_breaker.force_open();
    earlier.settle(Success);
    for _ in 0..3 {
        assert!(circuit_breaker.admit().is_err());
        assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().forced), (State::Open, true));
        advance(365 * 24 * 3600 * SECOND).await;
    }
    circuit_breaker.reset();
    assert!(circuit_breaker.admit().is_ok());
    assert!(!circuit_breaker.snapshot().forced);
}

/// CB-21: `force_closed` admits everything, still measures, and reports nothing; `reset` ends it with zero counts.
#[tokio::test(start_paused = true)]
async fn cb_21_force_closed() {
    let told = Told::default();
    let circuit_breaker = told.by(builder()).build().unwrap();
    circuit_breaker.force_closed();
    settle(&circuit_breaker, &[Failure; 100]);
    let snapshot = circuit_breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.forced), (State::Closed, true));
    assert_eq!(snapshot.counts.consecutive_failures, 100);
    assert_eq!(told.take(), []);
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 0);
    settle(&circuit_breaker, &[Failure; 2]);
    assert_eq!(circuit_breaker.state(), State::Open, "automatic again");
}

/// CB-21: Each force replaces the other, and is reported as a change only if the state changes.
#[tokio::test(start_paused = true)]
async fn cb_21_one_force_leaves_the_other() {
    let told = Told::default();
    let circuit_breaker = told.by(builder()).build().unwrap();
    circuit_breaker.force_open();
    circuit_breaker.force_open();
    circuit_breaker.force_closed();
    circuit_breaker.force_closed();
    circuit_breaker.force_open();
    circuit_breaker.reset();
    circuit_breaker.reset();
    let (open, closed) = ((State::Closed, State::Open), (State::Open, State::Closed));
    let lines = told.take();
    let changes: Vec<_> = lines.iter().map(|line| matches!(line, Line::Changed(..)).then_some(*line)).collect();
    assert_eq!(
        changes,
        [
            Some(Line::Changed(open.0, open.1, TransitionCause::Forced)),
            Some(Line::Changed(closed.0, closed.1, TransitionCause::Forced)),
            Some(Line::Changed(open.0, open.1, TransitionCause::Forced)),
            Some(Line::Changed(closed.0, closed.1, TransitionCause::Reset)),
        ]
    );
    assert_eq!(circuit_breaker.snapshot().generation, 7, "each began a new generation all the same");
}

/// CB-21: `reset` returns to closed with zero counts from any state, closed included.
#[tokio::test(start_paused = true)]
async fn cb_21_reset_from_any_state() {
    let circuit_breaker =
        CircuitBreaker::builder("any").consecutive_failures(2).failure_rate(1.0).open_for(SECOND).build().unwrap();
    settle(&circuit_breaker, &[Success, Failure]);
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.snapshot().counts, Default::default());
    settle(&circuit_breaker, &[Failure, Failure]);
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.state(), State::Closed);
    settle(&circuit_breaker, &[Failure, Failure]);
    advance(SECOND).await;
    let probe = circuit_breaker.admit().unwrap();
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.state(), State::Closed);
    probe.settle(Failure);
    assert_eq!(circuit_breaker.snapshot().counts, Default::default(), "the probe is of another time");
}

/// CB-21: `observe_only` measures and never rejects, and reports once per excursion that it would have opened.
#[tokio::test(start_paused = true)]
async fn cb_21_observe_only() {
    let told = Told::default();
    let circuit_breaker = told.by(builder().observe_only()).build().unwrap();
    let would = Line::WouldHaveOpened(TransitionCause::ConsecutiveFailures);
    settle(&circuit_breaker, &[Failure]);
    assert_eq!(told.take(), []);
    settle(&circuit_breaker, &[Failure]);
    assert_eq!(told.take(), [would]);
    settle(&circuit_breaker, &[Failure, Ignored, Failure]);
    assert_eq!(told.take(), [], "the same excursion");
    settle(&circuit_breaker, &[Success, Failure]);
    assert_eq!(told.take(), [], "it is over");
    settle(&circuit_breaker, &[Failure]);
    assert_eq!(told.take(), [would], "another one");
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
    circuit_breaker.force_open();
    assert!(circuit_breaker.admit().is_err(), "unless forced open");
}

/// CB-21: An excursion of a rate ends with the first verdict at which no rule is broken, even if that is a success.
#[tokio::test(start_paused = true)]
async fn cb_21_observing_a_rate() {
    let told = Told::default();
    let builder = CircuitBreaker::builder("rate").failure_rate(0.5).count_window(4).observe_only();
    let circuit_breaker = told.by(builder).build().unwrap();
    let lines = |verdicts: &[_]| {
        settle(&circuit_breaker, verdicts);
        told.take().len()
    };
    assert_eq!(lines(&[Failure, Failure, Success]), 0, "below the minimum");
    assert_eq!(lines(&[Success]), 1, "the fourth verdict is a success and judges");
    assert_eq!(lines(&[Failure]), 0, "F S S F: still broken");
    assert_eq!(lines(&[Success, Success, Success]), 0, "over");
    assert_eq!(lines(&[Failure, Failure]), 1);
}

/// CB-23: An observer may call any method of the circuit, and sees the new state.
#[tokio::test(start_paused = true)]
async fn cb_23_an_observer_may_call_back() {
    static SEEN: LazyLock<Mutex<Vec<(State, State, u64)>>> = LazyLock::new(Mutex::default);
    let handle: Arc<Mutex<Option<CircuitBreaker>>> = Arc::default();
    let inner = Arc::clone(&handle);
    let circuit_breaker = builder()
        .observer(move |event: &Event<'_>| {
            let Some(circuit_breaker) = inner.lock().unwrap().clone() else { return };
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { to, sequence, .. }) = event {
                SEEN.lock().unwrap().push((*to, circuit_breaker.state(), *sequence));
                let _ = (circuit_breaker.snapshot(), circuit_breaker.admit().map(drop));
                if *to == State::Open {
                    circuit_breaker.reset();
                }
            }
        })
        .build()
        .unwrap();
    *handle.lock().unwrap() = Some(circuit_breaker.clone());
    settle(&circuit_breaker, &[Failure, Failure]);
    assert_eq!(circuit_breaker.state(), State::Closed, "the observer reset it");
    let seen = SEEN.lock().unwrap().clone();
    let states: Vec<_> = seen.iter().map(|(to, state, _)| (*to, *state)).collect();
    assert!(states.contains(&(State::Open, State::Open)), "{states:?}");
    assert!(seen.windows(2).all(|pair| pair[0].2 != pair[1].2));
}

/// CB-23: The sequence only grows, and the counts are those that led to the change.
#[tokio::test(start_paused = true)]
async fn cb_23_sequence_and_counts() {
    let told: Arc<Mutex<Vec<_>>> = Arc::default();
    let inner = Arc::clone(&told);
    let circuit_breaker = CircuitBreaker::builder("counts")
        .failure_rate(0.5)
        .count_window(4)
        .open_for(SECOND)
        .max_trials(2)
        .observer(move |event: &Event<'_>| {
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { sequence, counts, name, .. }) = event {
                assert_eq!(*name, &"counts");
                let line = (*sequence, counts.calls, counts.failures, counts.consecutive_failures);
                inner.lock().unwrap().push(line);
            }
        })
        .build()
        .unwrap();
    settle(&circuit_breaker, &[Success, Success, Success, Failure, Failure]);
    circuit_breaker.reset();
    circuit_breaker.reset();
    settle(&circuit_breaker, &[Failure; 4]);
    advance(SECOND).await;
    settle(&circuit_breaker, &[Failure, Success]);
    assert_eq!(*told.lock().unwrap(), [(1, 4, 2, 2), (2, 0, 0, 0), (4, 4, 4, 4), (5, 0, 0, 0), (6, 2, 1, 0)]);
}

/// CB-23: An observer that panics does no harm: the call goes on, even while another panic unwinds.
#[tokio::test(start_paused = true)]
async fn cb_23_an_observer_that_panics() {
    let circuit_breaker = builder().observer(|_: &Event<'_>| panic!("in the observer")).build().unwrap();
    settle(&circuit_breaker, &[Failure, Failure]);
    assert_eq!(circuit_breaker.state(), State::Open);
    assert!(matches!(circuit_breaker.admit(), Err(Rejected::CircuitOpen { .. })));
    circuit_breaker.reset();
    settle(&circuit_breaker, &[Failure]);
    let permit = circuit_breaker.admit().unwrap();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = permit;
        panic!("the first one");
    }));
    assert!(unwound.is_err());
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-24: A snapshot shows everything at the same moment.
#[tokio::test(start_paused = true)]
async fn cb_24_snapshot() {
    let builder = CircuitBreaker::builder("snapshot").failure_rate(0.5).slow_rate(1.0).slow_call(MS).count_window(4);
    let circuit_breaker = builder.open_for(SECOND).max_trials(2).success_threshold(2).build().unwrap();
    advance(7 * MS).await;
    settle(&circuit_breaker, &[Success, Success, Success]);
    let slow = circuit_breaker.admit().unwrap();
    advance(2 * MS).await;
    slow.settle(Failure);
    let closed = circuit_breaker.snapshot();
    assert_eq!((closed.state, closed.generation, closed.time_in_state), (State::Closed, 0, 9 * MS));
    assert_eq!((closed.counts.calls, closed.counts.failures, closed.counts.slow), (4, 1, 1));
    assert_eq!(closed.counts.failure_rate(), Some(0.25));
    assert_eq!((closed.counts.slow_rate(), closed.counts.consecutive_failures), (Some(0.25), 1));

    settle(&circuit_breaker, &[Failure]);
    advance(400 * MS).await;
    assert!(circuit_breaker.admit().is_err());
    let open = circuit_breaker.snapshot();
    assert_eq!((open.state, open.generation, open.time_in_state), (State::Open, 1, 400 * MS));
    assert_eq!((open.retry_after, open.rejected), (Some(600 * MS), 1));
    assert_eq!(open.counts, Default::default());
    assert_eq!((open.counts.failure_rate(), open.counts.slow_rate()), (None, None));

    advance(600 * MS).await;
    let probe = circuit_breaker.admit().unwrap();
    assert!(circuit_breaker.admit().is_err());
    probe.settle(Success);
    let half_open = circuit_breaker.snapshot();
    assert_eq!((half_open.state, half_open.generation), (State::HalfOpen, 2));
    assert_eq!((half_open.counts.calls, half_open.counts.failures), (1, 0));
    assert_eq!((half_open.retry_after, half_open.rejected), (None, 2));
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.snapshot().rejected, 2, "it only grows");
}

/// CB-25: The handle works without tower: admit and settle, or run.
#[tokio::test(start_paused = true)]
async fn cb_25_without_tower() {
    let circuit_breaker = builder().build().unwrap();
    let work = |result: Result<u8, &'static str>| circuit_breaker.run(async move { result.map_err(Error::Inner) });
    assert_eq!(work(Ok(7)).await, Ok(7));
    assert_eq!(work(Err("down")).await, Err(Error::Inner("down")));
    circuit_breaker.admit().unwrap().settle(Failure);
    let polled = AtomicUsize::new(0);
    let rejected: Result<(), Error<()>> = circuit_breaker
        .run(async {
            polled.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .await;
    assert!(matches!(rejected, Err(Error::Rejected(Rejected::CircuitOpen { .. }))));
    assert_eq!(polled.load(Ordering::Relaxed), 0);
    advance(SECOND).await;
    assert_eq!(work(Ok(8)).await, Ok(8));
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-22: Clones of the handle share one circuit breaker.
#[tokio::test(start_paused = true)]
async fn cb_22_clones_share() {
    let circuit_breaker = builder().build().unwrap();
    let clone = circuit_breaker.clone();
    settle(&circuit_breaker, &[Failure]);
    settle(&clone, &[Failure]);
    assert_eq!((circuit_breaker.state(), clone.state()), (State::Open, State::Open));
}

/// CB-29: A leaked circuit breaker is the same one with the same behaviour, and can be a `static`.
#[tokio::test(start_paused = true)]
async fn cb_29_leaked() {
    static CIRCUIT: LazyLock<CircuitBreaker> = LazyLock::new(|| {
        CircuitBreaker::builder("static").consecutive_failures(1).open_for(SECOND).build().unwrap().leak()
    });
    settle(&CIRCUIT, &[Failure]);
    assert!(CIRCUIT.admit().is_err());

    let shared = builder().build().unwrap();
    let before = shared.clone();
    let leaked = shared.leak().leak();
    settle(&leaked, &[Failure, Failure]);
    assert_eq!(before.state(), State::Open, "handles of before are of the same circuit");
    advance(SECOND).await;
    assert_eq!(leaked.run(async { Ok::<_, Error<()>>(1) }).await, Ok(1));
    assert_eq!((before.state(), leaked.state()), (State::Closed, State::Closed));
    drop(leaked);
    drop(before);
}

/// CB-23: With many threads that trip and recover at once, each change is reported once and follows from the one
/// before.
#[test]
fn cb_23_threads() {
    let told: Arc<Mutex<Vec<(u64, State, State)>>> = Arc::default();
    let inner = Arc::clone(&told);
    let circuit_breaker = CircuitBreaker::builder("threads")
        .consecutive_failures(1)
        .open_for(Duration::from_nanos(1))
        .observer(move |event: &Event<'_>| {
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { sequence, from, to, .. }) = event {
                inner.lock().unwrap().push((*sequence, *from, *to));
            }
        })
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let circuit_breaker = &circuit_breaker;
            scope.spawn(move || {
                for step in 0..2_000_u32 {
                    if let Ok(permit) = circuit_breaker.admit() {
                        permit.settle(if (step + thread) % 3 == 0 { Failure } else { Success });
                    }
                }
            });
        }
    });
    let mut told = told.lock().unwrap().clone();
    told.sort_by_key(|line| line.0);
    assert!(told.len() > 10);
    for pair in told.windows(2) {
        assert!(pair[0].0 < pair[1].0, "told once");
        assert_eq!(pair[0].2, pair[1].1, "each leads on from the one before");
    }
}
