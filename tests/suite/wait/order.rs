//! CB-31: no more are woken than may pass, and none sleeps on while a call may pass.

use seaworthy::OnDrop;
use tokio_test::assert_ready;
use tower::ServiceExt;

use super::*;

/// Which of them have been woken since they were last polled.
fn woken(waiters: &[Waiter]) -> Vec<usize> {
    (0..waiters.len()).filter(|place| waiters[*place].is_woken()).collect()
}

fn waiters(circuit_breaker: &CircuitBreaker, count: usize) -> Vec<Waiter> {
    (0..count).map(|_| waiting(circuit_breaker)).collect()
}

/// CB-31: As many are woken as permits are free, in the order in which they came, and those that are called again keep
/// their place.
#[tokio::test(start_paused = true)]
async fn cb_31_as_many_as_may_pass() {
    let builder = builder().max_concurrent_probes(3).success_threshold(4).max_trials(9);
    let (circuit_breaker, first) = probed(builder).await;
    let [second, third] = [(); 2].map(|()| circuit_breaker.admit().unwrap());
    let mut waiters = waiters(&circuit_breaker, 5);
    drop(first);
    assert_eq!(woken(&waiters), [0]);
    // Neither what happens in between nor another's call changes that the first is on its way.
    assert_eq!(circuit_breaker.snapshot().state, State::HalfOpen);
    let other = circuit_breaker.admit().unwrap();
    circuit_breaker.admit().unwrap_err();
    assert_eq!(woken(&waiters), [0]);
    second.settle(Verdict::Success);
    third.settle(Verdict::Ignored);
    assert_eq!(woken(&waiters), [0, 1]);
    other.settle(Verdict::Success);
    assert_eq!(woken(&waiters), [0, 1, 2]);
    // All three are taken by others, so all three go back to sleep, and are the first to be woken.
    let others = [(); 3].map(|()| circuit_breaker.admit().unwrap());
    waiters[..3].iter_mut().for_each(assert_parked_again);
    let [other, ..] = others;
    drop(other);
    assert_eq!(woken(&waiters), [0]);
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
}

/// CB-31: One that is woken and dropped wakes the next, and so does one that is ready, because it may never call.
#[tokio::test(start_paused = true)]
async fn cb_31_a_wake_is_handed_on() {
    let (circuit_breaker, probe) = probed(builder()).await;
    let mut waiters = waiters(&circuit_breaker, 5);
    drop(probe);
    assert_eq!(woken(&waiters), [0]);
    // Gone: the others have moved up.
    drop(waiters.remove(0));
    assert_eq!(woken(&waiters), [0]);
    // One that sleeps is dropped, which is none of the others' business.
    drop(waiters.remove(3));
    assert_eq!(woken(&waiters), [0]);
    // Ready, and idle.
    assert_freed(&mut waiters[0]);
    assert_eq!(woken(&waiters), [1]);
    assert_freed(&mut waiters[1]);
    assert_freed(&mut waiters[2]);
    // Whoever calls first is the probe. The first is rejected, and that wakes nobody: no other call may pass.
    let probe = waiters[2].call(());
    assert_ready_err!(task::spawn(waiters[0].call(())).poll());
    assert_pending!(poll(&mut waiters[1]));
    assert_pending!(poll(&mut waiters[0]));
    assert!(woken(&waiters).is_empty());
    drop(probe);
    assert_eq!(woken(&waiters), [1]);
}

/// CB-31: At the end of the open time the first is woken by its timer, and the others only if no call begins.
#[tokio::test(start_paused = true)]
async fn cb_31_the_end_of_the_open_time() {
    let circuit_breaker = opened(builder().max_concurrent_probes(2).success_threshold(2));
    let mut waiters = waiters(&circuit_breaker, 6);
    // The first leaves, so the next sets its timer to the end of the open time.
    drop(waiters.remove(0));
    assert_eq!(woken(&waiters), [0]);
    assert_parked_again(&mut waiters[0]);
    advance(OPEN - MS).await;
    assert!(woken(&waiters).is_empty());
    advance(MS).await;
    assert_eq!(woken(&waiters), [0]);
    assert_freed(&mut waiters[0]);
    assert_eq!(woken(&waiters), [1]);
    let _probe = waiters[0].call(());
    // Another probe may be sent, and one is on its way.
    assert_freed(&mut waiters[1]);
    assert_eq!(woken(&waiters), [2]);
    let _probe = waiters[1].call(());
    assert_parked_again(&mut waiters[2]);
    assert!(woken(&waiters).is_empty());
}

/// CB-31: Those that do nothing about it, when their timers go off or they are woken, hold up those behind them by a
/// millisecond each.
#[tokio::test(start_paused = true)]
async fn cb_31_those_that_do_not_listen() {
    let circuit_breaker = opened(builder());
    let mut waiters = waiters(&circuit_breaker, 5);
    advance(OPEN).await;
    assert_eq!(woken(&waiters), [0]);
    advance(MS).await;
    assert_eq!(woken(&waiters), [0, 1]);
    advance(MS).await;
    assert_eq!(woken(&waiters), [0, 1, 2]);
    assert_freed(&mut waiters[2]);
    let probe = waiters[2].call(());
    // Nobody counts on those two once more: whoever listens is woken with them.
    advance(MS).await;
    assert_eq!(woken(&waiters), [0, 1, 3]);
    assert_parked_again(&mut waiters[3]);
    drop(probe);
    assert_eq!(woken(&waiters), [0, 1, 3]);
    assert_freed(&mut waiters[3]);
    assert_eq!(woken(&waiters), [0, 1, 4]);
}

/// CB-31: Those that wait behind one that was woken and does nothing look for themselves, at the latest when the probe
/// would have timed out.
#[tokio::test(start_paused = true)]
async fn cb_31_one_that_does_not_come() {
    let (circuit_breaker, probe) = probed(builder()).await;
    let mut waiters = waiters(&circuit_breaker, 3);
    drop(probe);
    advance(OPEN - MS).await;
    assert_eq!(woken(&waiters), [0]);
    advance(2 * MS).await;
    assert_eq!(woken(&waiters), [0, 1]);
    assert_freed(&mut waiters[1]);
    advance(MS).await;
    assert_freed(&mut waiters[2]);
    // Where that would take much longer than an open time, all are woken.
    for timeout in [3 * OPEN, Duration::MAX] {
        let (circuit_breaker, probe) = probed(builder().probe_timeout(timeout)).await;
        let waiters = self::waiters(&circuit_breaker, 3);
        drop(probe);
        assert_eq!(woken(&waiters), [0, 1, 2], "{timeout:?}");
    }
}

/// CB-31: One that was woken and did not come is not counted on once the circuit has been open again.
#[tokio::test(start_paused = true)]
async fn cb_31_a_new_half_open_state() {
    let (circuit_breaker, probe) = probed(builder()).await;
    let mut waiters = waiters(&circuit_breaker, 3);
    drop(probe);
    assert_eq!(woken(&waiters), [0]);
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    // Somebody has to look when the new open time is over.
    assert_eq!(woken(&waiters), [0, 1]);
    assert_parked_again(&mut waiters[1]);
    advance(OPEN).await;
    assert_freed(&mut waiters[1]);
    assert_eq!(woken(&waiters), [0, 2]);
}

/// CB-31: A probe that fails wakes nobody if all will look before the new open time is over, the first if it would not,
/// and all of them if some would sleep on for much longer.
#[tokio::test(start_paused = true)]
async fn cb_31_a_failed_probe() {
    for (timeout, expected) in
        [(OPEN, [].as_slice()), (OPEN + 500 * MS, &[0]), (2 * OPEN, &[0]), (2 * OPEN + MS, &[0, 1, 2])]
    {
        let (circuit_breaker, probe) = probed(builder().probe_timeout(timeout)).await;
        let mut waiters = waiters(&circuit_breaker, 3);
        probe.settle(Verdict::Failure);
        assert_eq!(woken(&waiters), expected, "{timeout:?}");
        // Each that was woken goes back to sleep and wakes no other.
        expected.iter().for_each(|place| assert_parked_again(&mut waiters[*place]));
        assert!(woken(&waiters).is_empty());
        advance(OPEN - MS).await;
        assert!(woken(&waiters).is_empty());
        advance(MS).await;
        waiters.iter_mut().for_each(assert_freed);
    }
}

/// CB-31: The first that would have looked in time is dropped, and the next is woken to set its timer.
#[tokio::test(start_paused = true)]
async fn cb_31_the_one_that_would_have_looked_leaves() {
    let (circuit_breaker, probe) = probed(builder().probe_timeout(OPEN + 500 * MS)).await;
    let mut waiters = waiters(&circuit_breaker, 3);
    probe.settle(Verdict::Failure);
    // Before it has set its timer anew,
    drop(waiters.remove(0));
    assert_eq!(woken(&waiters), [0]);
    assert_parked_again(&mut waiters[0]);
    // and after.
    drop(waiters.remove(0));
    assert_eq!(woken(&waiters), [0]);
    assert_parked_again(&mut waiters[0]);
    advance(OPEN).await;
    assert_freed(&mut waiters[0]);
}

/// CB-31, PR-09: Those that had no time to wait for are woken when they have one; those that had an earlier time look
/// when it is over.
#[tokio::test(start_paused = true)]
async fn cb_31_a_hold() {
    let circuit_breaker = opened(builder());
    let mut early = waiters(&circuit_breaker, 2);
    let hold = circuit_breaker.hold_open().unwrap();
    assert!(woken(&early).is_empty());
    advance(OPEN + MS).await;
    early.iter_mut().for_each(assert_parked_again);
    let mut late = waiters(&circuit_breaker, 2);
    advance(100 * OPEN).await;
    assert!(woken(&early).is_empty() && woken(&late).is_empty());
    // Released: the open time was over long ago.
    drop(hold);
    assert_eq!((woken(&early), woken(&late)), (vec![0, 1], vec![0, 1]));
    early.iter_mut().chain(&mut late).for_each(assert_freed);

    let circuit_breaker = opened(builder());
    let hold = circuit_breaker.hold_open().unwrap();
    let mut waiters = waiters(&circuit_breaker, 3);
    drop(hold);
    waiters.iter_mut().for_each(assert_parked_again);
    advance(OPEN).await;
    assert_eq!(woken(&waiters), [0]);
}

/// CB-31: Another's call that becomes the probe wakes nobody, and neither does its verdict if it fails.
#[tokio::test(start_paused = true)]
async fn cb_31_another_becomes_the_probe() {
    let circuit_breaker = opened(builder());
    let mut waiters = waiters(&circuit_breaker, 3);
    advance(OPEN).await;
    let probe = circuit_breaker.admit().unwrap();
    assert_parked_again(&mut waiters[0]);
    probe.settle(Verdict::Failure);
    assert!(woken(&waiters).is_empty());
    advance(OPEN).await;
    // The other two have looked in vain, after the first open time; the first looks at the end of the second.
    assert_eq!(woken(&waiters), [0, 1, 2]);
    waiters.iter_mut().for_each(assert_freed);
}

/// CB-20, CB-31: In real time and on many threads, waiters that call, that sit idle for a while, that are dropped, and
/// whose probes fail, succeed or say nothing: all that stay come through in the end.
#[test]
fn cb_31_nobody_is_left_asleep() {
    const TASKS: usize = 200;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    for on_drop in [OnDrop::Ignore, OnDrop::Failure] {
        let builder = builder().open_for(2 * MS).max_concurrent_probes(2).success_threshold(2).on_drop(on_drop);
        let circuit_breaker = builder.build().unwrap();
        let mut tasks = JoinSet::new();
        for number in 0..TASKS {
            let (mut service, circuit_breaker) =
                (circuit_breaker.layer().wait().layer(Inner::default()), circuit_breaker.clone());
            tasks.spawn_on(
                async move {
                    for round in 0..10 {
                        match (number + round) % 7 {
                            0 => settle_one(&circuit_breaker, Verdict::Failure),
                            1 => service = service.clone(),
                            2 => drop(tokio::time::timeout(MS, service.clone().ready()).await),
                            3 => {
                                service.ready().await.unwrap();
                                idle().await;
                            }
                            4 => settle_one(&circuit_breaker, Verdict::Ignored),
                            _ => {
                                service.ready().await.unwrap();
                                // Rejected or not.
                                drop(service.call(()).await);
                            }
                        }
                    }
                },
                runtime.handle(),
            );
        }
        // Nobody else helps: those that are left when the last failure was made come through by themselves.
        runtime.block_on(async {
            tokio::time::timeout(60 * SECOND, tasks.join_all()).await.expect("all come through");
        });
    }
}

fn settle_one(circuit_breaker: &CircuitBreaker, verdict: Verdict) {
    if let Ok(permit) = circuit_breaker.admit() {
        permit.settle(verdict);
    }
}

/// CB-20, CB-31: With a timer that has gone off and a call that may pass, asking again is enough, woken or not.
#[tokio::test(start_paused = true)]
async fn cb_31_asking_without_being_woken() {
    let (circuit_breaker, probe) = probed(builder()).await;
    let mut waiters = waiters(&circuit_breaker, 2);
    drop(probe);
    // The second was not woken and comes first.
    assert!(!waiters[1].is_woken());
    assert_ready_ok!(poll(&mut waiters[1]));
    let mut probe = task::spawn(waiters[1].call(()));
    assert_parked_again(&mut waiters[0]);
    assert_ready!(probe.poll()).unwrap();
    assert_freed(&mut waiters[0]);
}
