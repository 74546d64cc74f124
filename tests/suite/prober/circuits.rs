use std::time::Duration;

use seaworthy::circuit_breaker::TransitionCause;
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::prober::{ProbePolicy, Prober, Target, TargetPhase};
use seaworthy::{CircuitBreaker, ProbeState, State, Verdict};

use super::{Line, Script, calm, pass, policy, prober, quick};
use crate::support::{self, MS, SECOND, Told};

const CLOSED: State = State::Closed;
const OPEN: State = State::Open;
const HALF: State = State::HalfOpen;

/// A running prober with one target, healthy, that becomes unhealthy at the second failure, and drives a circuit
/// breaker that opens at the first, for 10 s.
async fn driven(told: &Told) -> (Prober, Script, Target, CircuitBreaker) {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", quick().failure_threshold(2).build().unwrap(), script.clone()).unwrap();
    let circuit_breaker =
        told.by(CircuitBreaker::builder("c").consecutive_failures(1).open_for(10 * SECOND)).build().unwrap();
    assert!(target.drive(&circuit_breaker));
    let running = prober.clone();
    tokio::spawn(async move { running.run(std::future::pending()).await });
    pass(MS).await;
    assert_eq!((target.state(), circuit_breaker.state()), (ProbeState::Healthy, CLOSED));
    (prober, script, target, circuit_breaker)
}

/// PR-09: an unhealthy target holds its circuit open for as long as it is unhealthy; once healthy again, it closes it,
/// and no call had to probe.
#[tokio::test(start_paused = true)]
async fn held_open_while_unhealthy() {
    let told = Told::default();
    let (_prober, script, target, circuit_breaker) = driven(&told).await;
    script.then(Line::Fail("sick"));
    pass(SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED, "one failure of two");
    pass(SECOND).await;
    assert_eq!(
        (target.state(), circuit_breaker.state(), circuit_breaker.snapshot().held),
        (ProbeState::Unhealthy, OPEN, true)
    );
    // However long it takes, no call gets through.
    for _ in 0..30 {
        assert_eq!(circuit_breaker.admit().unwrap_err().retry_after(), None);
        pass(SECOND).await;
    }
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!((target.state(), circuit_breaker.state()), (ProbeState::Healthy, CLOSED));
    let changes: Vec<_> = told.take().into_iter().filter(|line| matches!(line, support::Line::Changed(..))).collect();
    let expected = [
        support::Line::Changed(CLOSED, OPEN, TransitionCause::HeldOpen),
        support::Line::Changed(OPEN, CLOSED, TransitionCause::Released),
    ];
    assert_eq!(changes, expected);
}

/// PR-09: becoming healthy ends an open state that was prolonged while unhealthy: the circuit's own open time, which
/// had begun before, no longer counts.
#[tokio::test(start_paused = true)]
async fn healthy_probes_end_the_outage_early() {
    let told = Told::default();
    let (_prober, script, _target, circuit_breaker) = driven(&told).await;
    script.then(Line::Fail("sick"));
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(2 * SECOND).await;
    assert!(circuit_breaker.snapshot().held);
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED, "after 3 s of 10");
}

/// PR-09: if calls opened the circuit although the target is healthy, the open time holds, and then the prober is the
/// half-open probe: no call is.
#[tokio::test(start_paused = true)]
async fn the_prober_is_the_half_open_probe() {
    let told = Told::default();
    let (_prober, script, _target, circuit_breaker) = driven(&told).await;
    pass(500 * MS).await;
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(circuit_breaker.state(), OPEN);
    let mut waited = Duration::ZERO;
    while circuit_breaker.state() != CLOSED {
        assert!(circuit_breaker.admit().is_err(), "no call is let in after {waited:?}");
        pass(100 * MS).await;
        waited += 100 * MS;
        assert!(waited < 20 * SECOND);
    }
    // A probe is due at once when the open time is over.
    assert_eq!(waited, 10_000 * MS);
    assert_eq!(told.changes(), [(CLOSED, OPEN), (OPEN, CLOSED)]);

    // Failing probes prolong it: the target is not unhealthy yet, and still no call is admitted.
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(9_200 * MS).await;
    script.then(Line::Fail("sick"));
    pass(20 * SECOND).await;
    assert!(circuit_breaker.admit().is_err());
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED);
}

/// PB-10: when the open time of a circuit that a target drives is over, a probe is due at once, not an interval later;
/// if it fails, the next one comes after the interval.
#[tokio::test(start_paused = true)]
async fn due_when_the_open_time_is_over() {
    for well in [true, false] {
        let prober = prober();
        let script = Script::new(&[Line::Ok]);
        let target = prober.add("a", quick().interval(10 * SECOND).build().unwrap(), script.clone()).unwrap();
        let circuit_breaker =
            CircuitBreaker::builder("c").consecutive_failures(1).open_for(30 * SECOND).build().unwrap();
        target.drive(&circuit_breaker);
        let _task = prober.spawn();
        pass(500 * MS).await;
        support::settle(&circuit_breaker, &[Verdict::Failure]);
        let opened = support::now();
        pass(29_900 * MS).await;
        assert_eq!((circuit_breaker.state(), script.count()), (OPEN, 4), "at 0, 10, 20 and 30 s");
        if !well {
            script.then(Line::Fail("sick"));
        }
        pass(100 * MS).await;
        assert_eq!(*script.began().last().unwrap() - opened, 30 * SECOND);
        assert_eq!((circuit_breaker.state(), script.count()), (if well { CLOSED } else { OPEN }, 5));
        pass(9_900 * MS).await;
        assert_eq!(script.count(), 5);
        pass(100 * MS).await;
        assert_eq!(script.count(), 6, "an interval later");
    }
}

/// PB-10: a circuit that opens between two probes is noticed at once, so that the interval never prolongs a shorter
/// open time, however often; after a probe that fails, the next one comes an interval later.
#[tokio::test(start_paused = true)]
async fn an_open_time_shorter_than_the_interval() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", quick().interval(60 * SECOND).build().unwrap(), script.clone()).unwrap();
    let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).open_for(SECOND).build().unwrap();
    target.drive(&circuit_breaker);
    let _task = prober.spawn();
    pass(500 * MS).await;
    for round in 1..=3 {
        support::settle(&circuit_breaker, &[Verdict::Failure]);
        pass(900 * MS).await;
        assert_eq!((circuit_breaker.state(), script.count()), (OPEN, round));
        assert!(circuit_breaker.snapshot().retry_after.is_some(), "callers are still told how long");
        pass(100 * MS).await;
        assert_eq!((circuit_breaker.state(), script.count()), (CLOSED, round + 1));
    }
    script.then(Line::Fail("sick"));
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (OPEN, 5));
    pass(59 * SECOND).await;
    assert_eq!(script.count(), 5);
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (CLOSED, 6));

    // A circuit breaker that is no longer driven wakes nothing.
    assert!(target.remove());
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(10 * SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (OPEN, 6));
}

/// PB-10: an open time that ends while a probe is in flight, and that of a circuit that was already open when a target
/// began to drive it.
#[tokio::test(start_paused = true)]
async fn an_open_time_that_ends_during_a_probe() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let policy = quick().interval(60 * SECOND).timeout(10 * SECOND).build().unwrap();
    let target = prober.add("a", policy, script.clone()).unwrap();
    let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).open_for(SECOND).build().unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    target.drive(&circuit_breaker);
    pass(SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (CLOSED, 2));
    script.then(Line::Hang);
    pass(60 * SECOND).await;
    assert_eq!(script.count(), 3);
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    script.then(Line::Ok);
    pass(5 * SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (OPEN, 3), "it hangs");
    pass(5 * SECOND).await;
    assert_eq!((circuit_breaker.state(), script.count()), (CLOSED, 4), "at once when it was given up");
}

/// PR-09: if the open time is over before the prober comes, its next probe is the half-open probe by the circuit
/// breaker's own rules, and its verdict settles it.
#[tokio::test(start_paused = true)]
async fn a_slow_prober_takes_a_probe_slot() {
    for (line, after) in [(Line::Ok, CLOSED), (Line::Fail("sick"), OPEN)] {
        let told = Told::default();
        let prober = prober();
        let script = Script::new(&[Line::Ok]);
        let target = prober.add("a", quick().interval(20 * SECOND).build().unwrap(), script.clone()).unwrap();
        let circuit_breaker =
            told.by(CircuitBreaker::builder("c").consecutive_failures(1).open_for(10 * SECOND)).build().unwrap();
        target.drive(&circuit_breaker);
        let _task = prober.spawn();
        pass(MS).await;
        support::settle(&circuit_breaker, &[Verdict::Failure]);
        script.then(line);
        pass(20 * SECOND).await;
        assert_eq!(circuit_breaker.state(), after);
        assert_eq!(told.changes(), [(CLOSED, OPEN), (OPEN, HALF), (HALF, after)]);
        assert_eq!(circuit_breaker.snapshot().rejected, 0, "the prober is not a call that was rejected");
    }
}

/// PR-09: a cancelled probe releases the half-open probe's permit at once.
#[tokio::test(start_paused = true)]
async fn a_given_up_probe_gives_its_slot_back() {
    let told = Told::default();
    let (prober, script, target, circuit_breaker) = driven(&told).await;
    let _ = prober;
    target.set_policy(ProbePolicy::builder().interval(20 * SECOND).timeout(15 * SECOND).build().unwrap());
    pass(MS).await;
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    script.then(Line::Hang);
    // The probe begins when the open time is over.
    pass(12 * SECOND).await;
    assert_eq!(circuit_breaker.state(), HALF);
    assert!(circuit_breaker.admit().is_err(), "the prober is the probe");
    target.remove();
    calm().await;
    let permit = circuit_breaker.admit().unwrap();
    assert!(permit.is_probe());
    permit.settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), CLOSED);
}

/// PR-06, PR-09: so does one whose target is restarted, however long the next probe takes to come.
#[tokio::test(start_paused = true)]
async fn a_restart_gives_the_slot_back() {
    let prober = prober();
    let script = Script::new(&[Line::Hang]);
    let late = quick().interval(900 * SECOND).timeout(800 * SECOND).build().unwrap();
    let target = prober.add("a", late, script.clone()).unwrap();
    let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).open_for(SECOND).build().unwrap();
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(SECOND).await;
    target.drive(&circuit_breaker);
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!((circuit_breaker.state(), circuit_breaker.admit().is_err()), (HALF, true));
    let later = ProbePolicy::builder().interval(900 * SECOND).jitter(Duration::MAX).build().unwrap();
    target.set_policy(later);
    assert!(circuit_breaker.admit().unwrap().is_probe());
}

/// PR-09: a user's force has the last word, and a reset closes until the next probe.
#[tokio::test(start_paused = true)]
async fn force_and_reset() {
    let told = Told::default();
    let (_prober, script, _target, circuit_breaker) = driven(&told).await;
    circuit_breaker.force_closed();
    script.then(Line::Fail("sick"));
    pass(5 * SECOND).await;
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().forced), (CLOSED, true));
    circuit_breaker.reset();
    pass(SECOND).await;
    assert!(circuit_breaker.snapshot().held, "the target is still unhealthy");
    circuit_breaker.reset();
    assert_eq!(circuit_breaker.state(), CLOSED);
    pass(SECOND).await;
    assert!(circuit_breaker.snapshot().held);
    circuit_breaker.force_open();
    script.then(Line::Ok);
    pass(5 * SECOND).await;
    let snapshot = circuit_breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.forced, snapshot.held), (OPEN, true, false));
}

/// PR-09: several targets hold one circuit open together: the last one closes it.
#[tokio::test(start_paused = true)]
async fn several_hold_one_circuit() {
    let told = Told::default();
    let (prober, first, _target, circuit_breaker) = driven(&told).await;
    let second = Script::new(&[Line::Fail("sick")]);
    let other = prober.add("b", quick().failure_threshold(1).build().unwrap(), second.clone()).unwrap();
    pass(MS).await;
    assert_eq!((other.state(), circuit_breaker.state()), (ProbeState::Unhealthy, CLOSED));
    other.drive(&circuit_breaker);
    assert_eq!(circuit_breaker.state(), OPEN, "it is unhealthy already");
    first.then(Line::Fail("sick"));
    pass(3 * SECOND).await;
    second.then(Line::Ok);
    pass(3 * SECOND).await;
    assert_eq!((other.state(), circuit_breaker.state()), (ProbeState::Healthy, OPEN));
    first.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED);
}

/// PR-09, PR-10: once the target is no longer probed, the circuit breaker is on its own: the next call is a probe.
#[tokio::test(start_paused = true)]
async fn left_to_itself() {
    for end in 0..4 {
        let told = Told::default();
        let prober = prober();
        let script = Script::new(&[Line::Fail("sick")]);
        let target = prober.add("a", quick().failure_threshold(1).build().unwrap(), script.clone()).unwrap();
        let circuit_breaker = told.by(CircuitBreaker::builder("c")).build().unwrap();
        target.drive(&circuit_breaker);
        let task = prober.spawn();
        pass(MS).await;
        assert!(circuit_breaker.admit().is_err());
        match end {
            0 => drop(target.remove()),
            1 => drop(target.set_policy(None)),
            2 => drop(target.set_phase(TargetPhase::NotRunning)),
            _ => drop(task.stop().await),
        }
        calm().await;
        let permit = circuit_breaker.admit().unwrap_or_else(|_| panic!("end {end}"));
        assert!(permit.is_probe());
        permit.settle(Verdict::Success);
        assert_eq!(circuit_breaker.state(), CLOSED);
        if end == 3 {
            // As far as is known it is still unhealthy, but nothing would ever release the circuit.
            let other = CircuitBreaker::builder("other").build().unwrap();
            assert!(target.drive(&other));
            assert_eq!((target.state(), other.state()), (ProbeState::Unhealthy, CLOSED));
            let _task = prober.spawn();
            pass(2 * SECOND).await;
            assert!(other.snapshot().held && circuit_breaker.snapshot().held);
        }
        // A target that was only interrupted goes on holding.
        if end == 2 {
            target.set_phase(TargetPhase::Running);
            pass(MS).await;
            assert!(circuit_breaker.snapshot().held);
        }
    }
}

/// PR-06, PR-09: a restart does not release the circuit: it is not known yet whether the target is well.
#[tokio::test(start_paused = true)]
async fn held_over_a_restart() {
    let told = Told::default();
    let (_prober, script, target, circuit_breaker) = driven(&told).await;
    script.then(Line::Fail("sick"));
    pass(2 * SECOND).await;
    assert!(circuit_breaker.snapshot().held);
    script.then(Line::Takes(500 * MS));
    target.restart();
    pass(400 * MS).await;
    assert_eq!((target.state(), circuit_breaker.snapshot().held), (ProbeState::Starting, true));
    pass(200 * MS).await;
    assert_eq!(circuit_breaker.state(), CLOSED);
}

/// PR-09: an observer may ask the prober and the circuit for anything, and change both.
#[tokio::test(start_paused = true)]
async fn observers_may_do_anything() {
    let prober = prober();
    let script = Script::new(&[Line::Fail("sick")]);
    let target = prober.add("a", quick().failure_threshold(1).build().unwrap(), script).unwrap();
    let (inside, other) = (target.clone(), CircuitBreaker::builder("other").build().unwrap());
    let held = other.clone();
    let circuit_breaker = CircuitBreaker::builder("c")
        .observer(move |_: &seaworthy::Event<'_>| {
            assert!(inside.status().is_some());
            inside.drive(&held);
            inside.restart();
        })
        .build()
        .unwrap();
    target.drive(&circuit_breaker);
    let _task = prober.spawn();
    pass(3 * SECOND).await;
    assert_eq!((circuit_breaker.state(), other.state()), (OPEN, OPEN));
}

/// PR-09: a target that shows as unhealthy because its phase has changed holds its circuit open at once, and one that
/// shows as healthy closes it: neither waits for another probe.
#[tokio::test(start_paused = true)]
async fn a_phase_that_tells_drives_the_circuit() {
    let told = Told::default();
    let (_prober, script, target, circuit_breaker) = driven(&told).await;
    target.set_phase(TargetPhase::Initialising);
    script.then(Line::Fail("sick"));
    pass(5_500 * MS).await;
    assert_eq!((target.state(), circuit_breaker.state()), (ProbeState::Starting, CLOSED), "nothing is said of it yet");
    target.set_phase(TargetPhase::Running);
    assert_eq!((target.state(), circuit_breaker.snapshot().held), (ProbeState::Unhealthy, true));

    target.set_phase(TargetPhase::Initialising);
    script.then(Line::Ok);
    pass(5 * SECOND).await;
    assert_eq!(
        (target.state(), circuit_breaker.snapshot().held),
        (ProbeState::Starting, true),
        "nobody says that it is well"
    );
    target.set_phase(TargetPhase::Running);
    assert_eq!((target.state(), circuit_breaker.state()), (ProbeState::Healthy, CLOSED));

    // A healthy state that the last probe contradicts closes nothing.
    script.then(Line::Fail("sick"));
    pass(2 * SECOND).await;
    target.set_phase(TargetPhase::Initialising);
    script.then(Line::Ok);
    pass(SECOND).await;
    script.then(Line::Fail("sick"));
    pass(SECOND).await;
    target.set_phase(TargetPhase::Running);
    assert_eq!((target.state(), circuit_breaker.snapshot().held), (ProbeState::Healthy, true));
}

/// PR-09: a circuit that was taken over from its own open time is closed by the first success after it, even if the
/// target's state is still open.
#[tokio::test(start_paused = true)]
async fn taken_over_by_a_target_that_initialises() {
    let told = Told::default();
    let (_prober, _script, target, circuit_breaker) = driven(&told).await;
    target.set_phase(TargetPhase::Initialising);
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(9 * SECOND).await;
    assert!(circuit_breaker.snapshot().held);
    pass(2 * SECOND).await;
    assert_eq!((target.state(), circuit_breaker.state()), (ProbeState::Starting, CLOSED));
}

/// PR-06, PR-09: a probe that no longer counts before it has begun releases the half-open probe's permit, too.
#[tokio::test(start_paused = true)]
async fn a_change_while_the_probe_begins_gives_the_slot_back() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", quick().build().unwrap(), script.clone()).unwrap();
    let later = ProbePolicy::builder().interval(900 * SECOND).jitter(Duration::MAX).build().unwrap();
    let inside = target.clone();
    let circuit_breaker = CircuitBreaker::builder("c")
        .consecutive_failures(1)
        .open_for(SECOND)
        .observer(move |event: &seaworthy::Event<'_>| {
            if matches!(event, seaworthy::Event::CircuitBreaker(CircuitBreakerEvent::Transition { to: HALF, .. })) {
                inside.set_policy(later);
            }
        })
        .build()
        .unwrap();
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(SECOND).await;
    target.drive(&circuit_breaker);
    let _task = prober.spawn();
    calm().await;
    assert_eq!((circuit_breaker.state(), script.count()), (HALF, 0));
    assert!(circuit_breaker.admit().unwrap().is_probe());
}

/// PR-09: driving twice is the same as once: one probe is one trial, and nothing grows.
#[tokio::test(start_paused = true)]
async fn said_twice() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", policy(), script.clone()).unwrap();
    let builder = CircuitBreaker::builder("c").consecutive_failures(1).open_for(SECOND);
    let circuit_breaker = builder.max_concurrent_probes(2).max_trials(2).success_threshold(2).build().unwrap();
    (0..3).for_each(|_| assert!(target.drive(&circuit_breaker)));
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(SECOND).await;
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!((script.count(), circuit_breaker.state(), circuit_breaker.snapshot().counts.calls), (1, HALF, 1));
}

/// PR-09, CB-12: releasing a circuit that was taken over does not cut its own open time short.
#[tokio::test(start_paused = true)]
async fn letting_go_leaves_the_open_time() {
    for open in [10 * SECOND, Duration::MAX] {
        let prober = prober();
        let script = Script::new(&[Line::Fail("sick")]);
        let target = prober.add("a", quick().failure_threshold(2).build().unwrap(), script.clone()).unwrap();
        let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).open_for(open).build().unwrap();
        target.drive(&circuit_breaker);
        support::settle(&circuit_breaker, &[Verdict::Failure]);
        let task = prober.spawn();
        pass(2 * SECOND).await;
        assert!(circuit_breaker.snapshot().held);
        task.stop().await;
        assert!(!circuit_breaker.snapshot().held);
        pass(7 * SECOND).await;
        assert!(circuit_breaker.admit().is_err(), "after 9 s of {open:?}");
        pass(SECOND).await;
        assert_eq!(circuit_breaker.admit().is_ok(), open == 10 * SECOND);
    }
}

/// PR-09: one success of several that an unhealthy target needs does not close the circuit even for a moment, and a
/// circuit can be taken over again after an unhealthy time.
#[tokio::test(start_paused = true)]
async fn one_success_of_several() {
    let told = Told::default();
    let prober = prober();
    let script = Script::new(&[Line::Fail("sick")]);
    let strict = quick().failure_threshold(1).success_threshold(2).build().unwrap();
    let target = prober.add("a", strict, script.clone()).unwrap();
    let circuit_breaker =
        told.by(CircuitBreaker::builder("c").consecutive_failures(1).open_for(100 * MS)).build().unwrap();
    target.drive(&circuit_breaker);
    let _task = prober.spawn();
    pass(MS).await;
    circuit_breaker.reset();
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    told.take();
    script.then(Line::Ok);
    pass(SECOND).await;
    assert!(circuit_breaker.snapshot().held);
    assert_eq!(told.changes(), [(OPEN, HALF), (HALF, OPEN)]);
    pass(SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED);

    target.set_phase(TargetPhase::Initialising);
    pass(950 * MS).await;
    support::settle(&circuit_breaker, &[Verdict::Failure]);
    pass(2 * SECOND).await;
    assert_eq!(circuit_breaker.state(), CLOSED);
}
