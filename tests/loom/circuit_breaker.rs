//! The circuit breaker. The time is paused, and any thread may advance it.

use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService, Permit, Snapshot};
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{Backoff, BoxError, CircuitBreaker, Event, Jitter, Rejected, State, Verdict};
use tower::{Layer, Service};

use crate::{advance, with_paused_clock};

const HOUR: Duration = Duration::from_secs(3600);

/// The most preemptions with two threads, and with three, for which there are far more orders.
const TWO: usize = 5;
const THREE: usize = 2;

/// Like [`crate::explore`], with the clock paused.
fn explore(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    with_paused_clock(|| crate::explore(preemptions, body));
}

/// Opens at the first failure, for an hour.
fn fragile() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("x").consecutive_failures(1).open_for(HOUR)
}

/// Counts successes in bulk, as long as there are no more than ten.
fn count_window() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("x").failure_rate(1.0).count_window(10)
}

/// Like [`count_window`], until the next bucket begins, which happens only when the clock is advanced.
fn time_window() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("x").failure_rate(1.0).time_window(HOUR)
}

/// A circuit breaker with one success in its window. This also makes the bucket of a time window the current one.
fn primed(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let circuit_breaker = builder.build().unwrap();
    settle(&circuit_breaker, Verdict::Success);
    assert_eq!(circuit_breaker.snapshot().counts.calls, 1);
    circuit_breaker
}

/// A circuit that was just opened by its first failure.
fn opened(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let circuit_breaker = builder.build().unwrap();
    settle(&circuit_breaker, Verdict::Failure);
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker
}

fn settle(circuit_breaker: &CircuitBreaker, verdict: Verdict) {
    circuit_breaker.admit().expect("let in").settle(verdict);
}

fn spawn<T: 'static>(
    circuit_breaker: &CircuitBreaker,
    work: impl FnOnce(CircuitBreaker) -> T + 'static,
) -> thread::JoinHandle<T> {
    let circuit_breaker = circuit_breaker.clone();
    thread::spawn(move || work(circuit_breaker))
}

/// A caller's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Pass,
    Probe,
    Refused(Option<Duration>),
}

fn answer(admission: &Result<Permit, Rejected>) -> Answer {
    match admission {
        Ok(permit) if permit.is_probe() => Answer::Probe,
        Ok(_) => Answer::Pass,
        Err(rejected) => Answer::Refused(rejected.retry_after()),
    }
}

/// Calls and failures in the window.
fn counted(snapshot: &Snapshot) -> (u64, u64) {
    (snapshot.counts.calls, snapshot.counts.failures)
}

/// The changes of state that were announced, ordered by sequence number.
#[derive(Clone, Default)]
struct Changes(Arc<Mutex<Vec<(u64, State, State)>>>);

impl Changes {
    fn of(&self, builder: CircuitBreakerBuilder) -> CircuitBreakerBuilder {
        let changes = self.clone();
        builder.observer(move |event: &Event<'_>| {
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { from, to, sequence, .. }) = event {
                changes.0.lock().unwrap().push((*sequence, *from, *to));
            }
        })
    }

    fn take(&self) -> Vec<(State, State)> {
        let mut changes = std::mem::take(&mut *self.0.lock().unwrap());
        changes.sort_by_key(|(sequence, ..)| *sequence);
        let chained = changes.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].2 == pair[1].1);
        assert!(chained, "each change begins where the one before it ended: {changes:?}");
        changes.into_iter().map(|(_, from, to)| (from, to)).collect()
    }
}

const TRIPPED: (State, State) = (State::Closed, State::Open);
const PROBED: (State, State) = (State::Open, State::HalfOpen);
const RECOVERED: (State, State) = (State::HalfOpen, State::Closed);
const REOPENED: (State, State) = (State::HalfOpen, State::Open);

/// CB-02, CB-14: a caller passes or gets the whole open time; a late success does not close.
#[test]
fn an_admission_against_a_trip() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = changes.of(fragile()).build().unwrap();
        let failing = circuit_breaker.admit().unwrap();
        let trip = thread::spawn(move || failing.settle(Verdict::Failure));
        let call = spawn(&circuit_breaker, |circuit_breaker| {
            let admission = circuit_breaker.admit();
            let answer = answer(&admission);
            if let Ok(permit) = admission {
                permit.settle(Verdict::Success);
            }
            answer
        });
        trip.join().unwrap();
        // One caller failed while the other came, and that one passed or was rejected, nothing else.
        let refused = Answer::Refused(Some(HOUR));
        let other = call.join().unwrap();
        assert!([Answer::Pass, refused].contains(&other), "{other:?}");
        // The circuit is open, whatever the other one did, and every thread sees it now.
        assert_eq!(circuit_breaker.state(), State::Open);
        assert_eq!(answer(&circuit_breaker.admit()), refused);
        assert_eq!(changes.take(), [TRIPPED]);
    });
}

/// CB-02, CB-23: opens once and reports it once, with both failures counted.
#[test]
fn two_failures_at_the_threshold() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = changes.of(fragile().consecutive_failures(2)).build().unwrap();
        let threads =
            [(); 2].map(|()| spawn(&circuit_breaker, |circuit_breaker| settle(&circuit_breaker, Verdict::Failure)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Neither was the only one counted, and only one of them found that the threshold was reached.
        assert_eq!(circuit_breaker.state(), State::Open);
        assert_eq!(circuit_breaker.snapshot().generation, 1);
        assert_eq!(changes.take(), [TRIPPED]);
    });
}

/// CB-14, CB-21: a call admitted before a reset or a force is not counted after it, and one admitted after it is
/// counted once.
fn an_old_success_against(change: fn(&CircuitBreaker), window: fn() -> CircuitBreakerBuilder) {
    explore(TWO, move || {
        let circuit_breaker = primed(window());
        let old = circuit_breaker.admit().unwrap();
        let late = thread::spawn(move || old.settle(Verdict::Success));
        let changer = spawn(&circuit_breaker, move |circuit_breaker| {
            change(&circuit_breaker);
            settle(&circuit_breaker, Verdict::Success);
        });
        late.join().unwrap();
        changer.join().unwrap();
        // Before: two successes of the old generation. After: one of the new.
        assert_eq!(counted(&circuit_breaker.snapshot()), (1, 0));
        settle(&circuit_breaker, Verdict::Success);
        assert_eq!(counted(&circuit_breaker.snapshot()), (2, 0));
    });
}

fn force_open_and_reset(circuit_breaker: &CircuitBreaker) {
    circuit_breaker.force_open();
    circuit_breaker.reset();
}

#[test]
fn an_old_success_against_reset_in_a_count_window() {
    an_old_success_against(CircuitBreaker::reset, count_window);
}

#[test]
fn an_old_success_against_reset_in_a_time_window() {
    an_old_success_against(CircuitBreaker::reset, time_window);
}

#[test]
fn an_old_success_against_force_closed() {
    an_old_success_against(CircuitBreaker::force_closed, count_window);
}

#[test]
fn an_old_success_against_force_open_and_reset() {
    an_old_success_against(force_open_and_reset, time_window);
}

/// CB-03, CB-24: none is lost and none is counted twice; a reader, which closes the bulk for a moment, only ever sees
/// more.
fn successes_against(verdict: Verdict, window: fn() -> CircuitBreakerBuilder) {
    explore(TWO, move || {
        let circuit_breaker = primed(window());
        let successes = spawn(&circuit_breaker, |circuit_breaker| {
            [Verdict::Success; 2].map(|verdict| settle(&circuit_breaker, verdict))
        });
        let other = spawn(&circuit_breaker, move |circuit_breaker| {
            settle(&circuit_breaker, verdict);
            circuit_breaker.snapshot()
        });
        successes.join().unwrap();
        let failures = u64::from(verdict == Verdict::Failure);
        // At least the first success and the other thread's own verdict, at most all.
        let (calls, failed) = counted(&other.join().unwrap());
        assert!((2..=4).contains(&calls) && failed == failures, "{calls} {failed}");
        assert_eq!(counted(&circuit_breaker.snapshot()), (4, failures));
    });
}

#[test]
fn successes_against_a_failure_in_a_count_window() {
    successes_against(Verdict::Failure, count_window);
}

#[test]
fn successes_against_a_failure_in_a_time_window() {
    successes_against(Verdict::Failure, time_window);
}

#[test]
fn successes_against_a_success() {
    successes_against(Verdict::Success, count_window);
}

/// CB-03: three threads, two of which count without the lock.
#[test]
fn two_successes_and_a_failure() {
    explore(THREE, || {
        let circuit_breaker = primed(count_window());
        let verdicts = [Verdict::Success, Verdict::Success, Verdict::Failure];
        let threads =
            verdicts.map(|verdict| spawn(&circuit_breaker, move |circuit_breaker| settle(&circuit_breaker, verdict)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(counted(&circuit_breaker.snapshot()), (4, 1));
    });
}

/// CB-03: every success moves the ring, whenever the bulk is full.
#[test]
fn two_successes_push_a_failure_out() {
    explore(TWO, || {
        let circuit_breaker = CircuitBreaker::builder("x").failure_rate(0.9).count_window(4).build().unwrap();
        for verdict in [Verdict::Success, Verdict::Failure, Verdict::Success, Verdict::Success] {
            settle(&circuit_breaker, verdict);
        }
        // S F S S: the first success pushes out a success, the second one the failure.
        assert_eq!(counted(&circuit_breaker.snapshot()), (4, 1));
        let threads =
            [(); 2].map(|()| spawn(&circuit_breaker, |circuit_breaker| settle(&circuit_breaker, Verdict::Success)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(counted(&circuit_breaker.snapshot()), (4, 0));
    });
}

/// CB-02: a success that knows of a failure ends the run that it began, even if it cannot get the lock.
fn a_success_that_knows_of_a_failure(builder: fn() -> CircuitBreakerBuilder) {
    explore(TWO, move || {
        let circuit_breaker = builder().consecutive_failures(2).build().unwrap();
        let failed = Arc::new(AtomicBool::new(false));
        let failure = spawn(&circuit_breaker, {
            let failed = Arc::clone(&failed);
            move |circuit_breaker| {
                settle(&circuit_breaker, Verdict::Failure);
                failed.store(true, Ordering::Release);
            }
        });
        let success = spawn(&circuit_breaker, move |circuit_breaker| {
            let knows = failed.load(Ordering::Acquire);
            settle(&circuit_breaker, Verdict::Success);
            knows
        });
        failure.join().unwrap();
        // F S, or an unknown order.
        if success.join().unwrap() {
            assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 0);
            settle(&circuit_breaker, Verdict::Failure);
            assert_eq!(circuit_breaker.state(), State::Closed);
        } else {
            assert!(circuit_breaker.snapshot().counts.consecutive_failures <= 1);
        }
    });
}

#[test]
fn a_success_that_knows_of_a_failure_without_a_window() {
    a_success_that_knows_of_a_failure(|| CircuitBreaker::builder("x"));
}

#[test]
fn a_success_that_knows_of_a_failure_with_a_window() {
    a_success_that_knows_of_a_failure(count_window);
}

/// CB-09, CB-10: the call that makes the circuit half-open is the probe, and no other is.
fn callers_at_the_edge<const CALLERS: usize>(preemptions: usize) {
    explore(preemptions, || {
        let changes = Changes::default();
        let circuit_breaker = opened(changes.of(fragile()));
        assert_eq!(changes.take(), [TRIPPED]);
        advance(HOUR);
        let callers = [(); CALLERS].map(|()| spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.admit()));
        let admissions = callers.map(|caller| caller.join().unwrap());
        let probes = admissions.iter().filter(|admission| answer(admission) == Answer::Probe).count();
        let refused = admissions.iter().filter(|admission| answer(admission) == Answer::Refused(None)).count();
        assert_eq!((probes, refused), (1, CALLERS - 1));
        // The probe is still in flight.
        assert_eq!(circuit_breaker.state(), State::HalfOpen);
        assert_eq!(circuit_breaker.snapshot().rejected, CALLERS as u64 - 1);
        assert_eq!(changes.take(), [PROBED]);
    });
}

#[test]
fn two_callers_at_the_edge() {
    callers_at_the_edge::<2>(TWO);
}

#[test]
fn three_callers_at_the_edge() {
    callers_at_the_edge::<3>(THREE);
}

/// A circuit with its only probe in flight, which will next stay open for two hours; the probe times out after three.
fn probed(changes: &Changes) -> (CircuitBreaker, Permit) {
    let circuit_breaker = opened(changes.of(twice_as_long()));
    advance(HOUR);
    let probe = circuit_breaker.admit().unwrap();
    assert!(probe.is_probe());
    assert_eq!(changes.take(), [TRIPPED, PROBED]);
    (circuit_breaker, probe)
}

fn twice_as_long() -> CircuitBreakerBuilder {
    let backoff = Backoff::exponential(HOUR, 24 * HOUR).jitter(Jitter::None);
    fragile().open_backoff(backoff).probe_timeout(3 * HOUR)
}

/// CB-10, CB-11: a call that comes while the probe settles gets the answer from before or from after.
fn a_probe_settles(verdict: Verdict, after: Answer, told: &'static [(State, State)]) {
    explore(TWO, move || {
        let changes = Changes::default();
        let (circuit_breaker, probe) = probed(&changes);
        let settling = thread::spawn(move || probe.settle(verdict));
        let call = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.admit());
        settling.join().unwrap();
        let admission = call.join().unwrap();
        let other = answer(&admission);
        assert!([Answer::Refused(None), after].contains(&other), "{other:?}");
        assert_eq!(changes.take(), told);
        // The permit is free again, unless the other thread has it; it is not lost.
        drop(admission);
        assert_eq!(answer(&circuit_breaker.admit()), after);
        assert_eq!(changes.take(), []);
    });
}

#[test]
fn a_probe_succeeds() {
    a_probe_settles(Verdict::Success, Answer::Pass, &[RECOVERED]);
}

#[test]
fn a_probe_fails() {
    a_probe_settles(Verdict::Failure, Answer::Refused(Some(Duration::from_secs(7200))), &[REOPENED]);
}

/// CB-13
#[test]
fn a_probe_is_ignored() {
    a_probe_settles(Verdict::Ignored, Answer::Probe, &[]);
}

/// CB-11: the last of two trials decides, whichever it is, once.
#[test]
fn two_probes_succeed() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = opened(changes.of(fragile().max_concurrent_probes(2).success_threshold(2).max_trials(3)));
        advance(HOUR);
        let probes = [(); 2].map(|()| circuit_breaker.admit().unwrap());
        let threads = probes.map(|probe| thread::spawn(move || probe.settle(Verdict::Success)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(circuit_breaker.state(), State::Closed);
        assert_eq!(changes.take(), [TRIPPED, PROBED, RECOVERED]);
    });
}

/// CB-17: a probe that ends after it has timed out is too late, whichever thread notices.
#[test]
fn a_late_probe_against_an_admission() {
    explore(TWO, || {
        let changes = Changes::default();
        let (circuit_breaker, probe) = probed(&changes);
        advance(3 * HOUR);
        let late = thread::spawn(move || probe.settle(Verdict::Success));
        let call = spawn(&circuit_breaker, |circuit_breaker| answer(&circuit_breaker.admit()));
        late.join().unwrap();
        // The probe was due just now, and the circuit opens again from now on.
        assert_eq!(call.join().unwrap(), Answer::Refused(Some(2 * HOUR)));
        assert_eq!(circuit_breaker.state(), State::Open);
        assert_eq!(changes.take(), [REOPENED]);
    });
}

/// CB-09: a state on the way from closed to open is one of the two, and never goes back to an earlier one.
#[test]
fn states_during_a_trip() {
    explore(TWO, || {
        let circuit_breaker = fragile().build().unwrap();
        let failing = circuit_breaker.admit().unwrap();
        let trip = thread::spawn(move || failing.settle(Verdict::Failure));
        let reader = spawn(&circuit_breaker, |circuit_breaker| [circuit_breaker.state(), circuit_breaker.state()]);
        trip.join().unwrap();
        let seen = reader.join().unwrap();
        let possible = [[State::Closed, State::Closed], [State::Closed, State::Open], [State::Open, State::Open]];
        assert!(possible.contains(&seen), "{seen:?}");
        assert_eq!(circuit_breaker.state(), State::Open);
    });
}

/// CB-08: the open time of one state never comes with another state or another open time. Half-open has none, and its
/// probe's deadline, three hours ahead, is not an open time.
#[test]
fn the_open_time_belongs_to_the_state() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = opened(changes.of(twice_as_long()));
        let course = spawn(&circuit_breaker, |circuit_breaker| {
            advance(HOUR);
            if let Ok(probe) = circuit_breaker.admit() {
                probe.settle(Verdict::Failure);
            }
        });
        let caller = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.admit());
        course.join().unwrap();
        let admission = caller.join().unwrap();
        // Open for an hour; half-open; open for two hours.
        let told = answer(&admission);
        let before = Answer::Refused(Some(HOUR));
        let after = Answer::Refused(Some(2 * HOUR));
        assert!([before, Answer::Probe, Answer::Refused(None), after].contains(&told), "{told:?}");
        // Only one of the two can have been the probe.
        let ended: &[_] = if told == Answer::Probe { &[TRIPPED, PROBED] } else { &[TRIPPED, PROBED, REOPENED] };
        assert_eq!(changes.take(), ended);
    });
}

/// CB-08, CB-21: an open time that was cut short does not come with the next one's state.
#[test]
fn the_open_time_belongs_to_the_generation() {
    explore(TWO, || {
        let circuit_breaker =
            opened(fragile().open_backoff(Backoff::exponential(HOUR, 24 * HOUR).jitter(Jitter::None)));
        advance(HOUR);
        settle(&circuit_breaker, Verdict::Failure);
        // The probe failed: open for two hours, then reset and open for one.
        let course = spawn(&circuit_breaker, |circuit_breaker| {
            circuit_breaker.reset();
            settle(&circuit_breaker, Verdict::Failure);
        });
        let told = spawn(&circuit_breaker, |circuit_breaker| {
            [answer(&circuit_breaker.admit()), answer(&circuit_breaker.admit())]
        });
        course.join().unwrap();
        let order = [Answer::Refused(Some(2 * HOUR)), Answer::Pass, Answer::Refused(Some(HOUR))];
        let place = |told| order.iter().position(|answer| *answer == told);
        let [first, second] = told.join().unwrap().map(place);
        assert!(first.is_some() && first <= second, "{first:?} {second:?}");
        // The last one is shorter than the one before, and is the one that shows from now on.
        assert_eq!(answer(&circuit_breaker.admit()), Answer::Refused(Some(HOUR)));
    });
}

/// CB-21: nothing in flight leaves the forced state, and the change to open is reported once.
#[test]
fn force_open_against_a_failure() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = changes.of(fragile()).build().unwrap();
        let failing = circuit_breaker.admit().unwrap();
        let trip = thread::spawn(move || failing.settle(Verdict::Failure));
        let force = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.force_open());
        trip.join().unwrap();
        force.join().unwrap();
        let snapshot = circuit_breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.forced), (State::Open, true));
        assert_eq!(changes.take(), [TRIPPED]);
        // Any open time that the failure began is over, and opens nothing.
        advance(2 * HOUR);
        assert_eq!(answer(&circuit_breaker.admit()), Answer::Refused(None));
    });
}

/// CB-21
#[test]
fn force_open_against_a_probe() {
    explore(TWO, || {
        let changes = Changes::default();
        let (circuit_breaker, probe) = probed(&changes);
        let settling = thread::spawn(move || probe.settle(Verdict::Success));
        let force = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.force_open());
        settling.join().unwrap();
        force.join().unwrap();
        let snapshot = circuit_breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.forced, counted(&snapshot)), (State::Open, true, (0, 0)));
        // The probe was in time, or its verdict was void.
        let told = changes.take();
        assert!(told == [RECOVERED, TRIPPED] || told == [REOPENED], "{told:?}");
    });
}

/// CB-23: the state in an announcement is visible before it is announced, and no lock is held.
#[test]
fn an_observer_asks_the_circuit() {
    explore(TWO, || {
        let handle = Arc::new(Mutex::new(None::<CircuitBreaker>));
        let told = Arc::new(Mutex::new(Vec::new()));
        let observer = {
            let (handle, told) = (Arc::clone(&handle), Arc::clone(&told));
            move |event: &Event<'_>| {
                let Event::CircuitBreaker(CircuitBreakerEvent::Transition { sequence, to, .. }) = event else { return };
                let circuit_breaker = handle.lock().unwrap().clone().expect("given before anything happened");
                let (state, snapshot) = (circuit_breaker.state(), circuit_breaker.snapshot());
                assert!(snapshot.generation >= *sequence);
                // The other thread may have moved on, but not back.
                assert!(snapshot.generation > *sequence || (state, snapshot.state) == (*to, *to));
                told.lock().unwrap().push(*sequence);
            }
        };
        let circuit_breaker = fragile().observer(observer).build().unwrap();
        *handle.lock().unwrap() = Some(circuit_breaker.clone());
        let failing = circuit_breaker.admit().unwrap();
        let trip = thread::spawn(move || failing.settle(Verdict::Failure));
        let reset = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.reset());
        trip.join().unwrap();
        reset.join().unwrap();
        // Tripped and reset, or reset before the failure, which is then an old one.
        let mut told = std::mem::take(&mut *told.lock().unwrap());
        told.sort_unstable();
        assert!(told == [1, 2] || told.is_empty(), "{told:?}");
        assert_eq!(circuit_breaker.state(), State::Closed);
        drop(handle.lock().unwrap().take());
    });
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, StdOrdering::Relaxed);
    }
}

#[derive(Clone)]
struct AlwaysReady;

impl Service<()> for AlwaysReady {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        std::future::ready(Ok(()))
    }
}

fn waiting(circuit_breaker: &CircuitBreaker) -> CircuitBreakerService<AlwaysReady> {
    circuit_breaker.layer().wait().layer(AlwaysReady)
}

fn poll_with(service: &mut CircuitBreakerService<AlwaysReady>, woken: &Arc<Woken>) -> Poll<Result<(), BoxError>> {
    service.poll_ready(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

/// CB-20: a caller that finds the circuit open is woken when it no longer is, or never slept.
#[test]
fn a_waiter_against_a_reset() {
    explore(TWO, || {
        let circuit_breaker = fragile().build().unwrap();
        circuit_breaker.force_open();
        let woken = Arc::new(Woken::default());
        let waiter = spawn(&circuit_breaker, {
            let woken = Arc::clone(&woken);
            move |circuit_breaker| {
                let mut service = waiting(&circuit_breaker);
                let poll = poll_with(&mut service, &woken);
                (service, poll)
            }
        });
        let reset = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.reset());
        let (mut service, poll) = waiter.join().unwrap();
        reset.join().unwrap();
        assert!(poll.is_ready() || woken.0.load(StdOrdering::Relaxed) == 1);
        assert!(poll_with(&mut service, &woken).is_ready());
        // The waker of a caller that no longer waits is not kept.
        drop(service);
        assert_eq!(Arc::strong_count(&woken), 1);
    });
}

/// CB-20: a waiter that leaves does not take another one's wake-up with it.
#[test]
fn a_waiter_leaves_during_a_reset() {
    explore(TWO, || {
        let circuit_breaker = fragile().build().unwrap();
        circuit_breaker.force_open();
        let (leaving, staying) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let [mut first, mut second] = [(); 2].map(|()| waiting(&circuit_breaker));
        assert!(poll_with(&mut first, &leaving).is_pending());
        assert!(poll_with(&mut second, &staying).is_pending());
        let leave = thread::spawn(move || drop(first));
        let reset = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.reset());
        leave.join().unwrap();
        reset.join().unwrap();
        assert_eq!(staying.0.load(StdOrdering::Relaxed), 1);
        assert!(leaving.0.load(StdOrdering::Relaxed) <= 1);
        assert_eq!(Arc::strong_count(&leaving), 1);
    });
}

/// CB-20: when a probe ends, its permit is offered to the waiter.
#[test]
fn a_waiter_against_a_probe() {
    explore(TWO, || {
        let (circuit_breaker, probe) = probed(&Changes::default());
        let woken = Arc::new(Woken::default());
        let waiter = spawn(&circuit_breaker, {
            let woken = Arc::clone(&woken);
            move |circuit_breaker| {
                let mut service = waiting(&circuit_breaker);
                let poll = poll_with(&mut service, &woken);
                (service, poll)
            }
        });
        let settling = thread::spawn(move || probe.settle(Verdict::Ignored));
        let (service, poll) = waiter.join().unwrap();
        settling.join().unwrap();
        assert!(poll.is_ready() || woken.0.load(StdOrdering::Relaxed) == 1);
        drop(service);
        assert_eq!(Arc::strong_count(&woken), 1);
    });
}

/// A waiting service and its waker.
struct Waiter {
    service: CircuitBreakerService<AlwaysReady>,
    woken: Arc<Woken>,
}

impl Waiter {
    fn asleep(circuit_breaker: &CircuitBreaker) -> Waiter {
        let mut waiter = Waiter { service: waiting(circuit_breaker), woken: Arc::default() };
        assert!(waiter.poll().is_pending());
        waiter
    }

    fn poll(&mut self) -> Poll<Result<(), BoxError>> {
        self.woken.0.store(0, StdOrdering::Relaxed);
        poll_with(&mut self.service, &self.woken)
    }

    /// Asks if it was woken; whether it is ready.
    fn listen(&mut self) -> bool {
        self.woken.0.load(StdOrdering::Relaxed) > 0 && self.poll().is_ready()
    }
}

/// CB-31: the permit of a probe that ends while something else happens is free at the end, and both waiters come to
/// know of it, one after the other, though neither calls.
fn a_permit_is_offered_to_two(meanwhile: fn(CircuitBreaker, Waiter) -> Option<Waiter>) {
    explore(TWO, move || {
        let (circuit_breaker, probe) = probed(&Changes::default());
        let [first, mut second] = [(); 2].map(|()| Waiter::asleep(&circuit_breaker));
        let settling = thread::spawn(move || probe.settle(Verdict::Ignored));
        let meanwhile = spawn(&circuit_breaker, move |circuit_breaker| meanwhile(circuit_breaker, first));
        settling.join().unwrap();
        if let Some(mut first) = meanwhile.join().unwrap() {
            // Ready already, or woken for it.
            assert!(first.listen() || first.poll().is_ready());
        }
        assert!(second.listen());
        assert_eq!(answer(&circuit_breaker.admit()), Answer::Probe);
    });
}

#[test]
fn a_permit_is_offered_while_the_first_waiter_leaves() {
    a_permit_is_offered_to_two(|_, first| {
        drop(first);
        None
    });
}

#[test]
fn a_permit_is_offered_while_the_first_waiter_asks() {
    a_permit_is_offered_to_two(|_, mut first| if first.poll().is_pending() { Some(first) } else { None });
}

#[test]
fn a_permit_is_offered_while_the_first_waiter_asks_and_stays() {
    a_permit_is_offered_to_two(|_, mut first| {
        _ = first.poll();
        Some(first)
    });
}

#[test]
fn a_permit_is_offered_while_another_takes_it_and_gives_it_back() {
    a_permit_is_offered_to_two(|circuit_breaker, first| {
        drop(circuit_breaker.admit());
        Some(first)
    });
}

#[test]
fn a_permit_is_offered_while_another_comes_and_goes() {
    a_permit_is_offered_to_two(|circuit_breaker, first| {
        // Ready, asleep behind the second, or woken in its place.
        _ = Waiter { service: waiting(&circuit_breaker), woken: Arc::default() }.poll();
        Some(first)
    });
}

/// PR-09, CB-14: a success from before a hold is not counted after it.
#[test]
fn a_hold_against_a_success() {
    explore(TWO, || {
        let circuit_breaker = primed(count_window());
        let before = circuit_breaker.admit().unwrap();
        let settling = thread::spawn(move || before.settle(Verdict::Success));
        let holding = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.hold_open().unwrap().close());
        settling.join().unwrap();
        holding.join().unwrap();
        assert_eq!((circuit_breaker.state(), counted(&circuit_breaker.snapshot())), (State::Closed, (0, 0)));
        settle(&circuit_breaker, Verdict::Success);
        assert_eq!(counted(&circuit_breaker.snapshot()), (1, 0));
    });
}

/// PR-09, CB-23: a guard goes on holding the circuit open while another is dropped.
#[test]
fn a_hold_against_a_release() {
    explore(TWO, || {
        let changes = Changes::default();
        let circuit_breaker = changes.of(fragile()).build().unwrap();
        let first = circuit_breaker.hold_open().unwrap();
        let closing = thread::spawn(move || first.close());
        let second = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.hold_open().unwrap());
        closing.join().unwrap();
        let second = second.join().unwrap();
        assert!(second.is_in_force() && circuit_breaker.snapshot().held);
        assert_eq!(answer(&circuit_breaker.admit()), Answer::Refused(None));
        let told = changes.take();
        let closed = (State::Open, State::Closed);
        assert!(told == [TRIPPED] || told == [TRIPPED, closed, TRIPPED], "{told:?}");
    });
}

/// PR-09, CB-10: when a circuit is released, either a call or a prober becomes the probe, not both.
#[test]
fn a_call_against_a_probe_that_is_offered() {
    explore(TWO, || {
        let circuit_breaker = fragile().build().unwrap();
        drop(circuit_breaker.hold_open());
        let call = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.admit().ok());
        let offered = spawn(&circuit_breaker, |circuit_breaker| circuit_breaker.try_probe());
        let (call, offered) = (call.join().unwrap(), offered.join().unwrap());
        assert_eq!(call.iter().chain(&offered).filter(|permit| permit.is_probe()).count(), 1);
        assert_eq!(circuit_breaker.state(), State::HalfOpen);
    });
}

/// PR-09, CB-20: a caller that waits for a held circuit is woken when it is released, or never slept.
#[test]
fn a_waiter_against_a_release() {
    explore(TWO, || {
        let circuit_breaker = fragile().build().unwrap();
        let hold = circuit_breaker.hold_open().unwrap();
        let woken = Arc::new(Woken::default());
        let waiter = spawn(&circuit_breaker, {
            let woken = Arc::clone(&woken);
            move |circuit_breaker| {
                let mut service = waiting(&circuit_breaker);
                let poll = poll_with(&mut service, &woken);
                (service, poll)
            }
        });
        let release = thread::spawn(move || drop(hold));
        let (mut service, poll) = waiter.join().unwrap();
        release.join().unwrap();
        assert!(poll.is_ready() || woken.0.load(StdOrdering::Relaxed) == 1);
        assert!(poll_with(&mut service, &woken).is_ready());
    });
}
