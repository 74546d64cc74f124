use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::circuit_breaker::OpenGuard;
use seaworthy::prober::{Probe, ProbePolicy, Prober, ProberTask, Target};
use seaworthy::{BoxError, ProbeState};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio::runtime::Handle;

use super::{Changes, Line, Script, calm, error, pass, policy, prober, quick, sleep, until};
use crate::support::{MS, SECOND};

/// PR-07: a probe that panics has failed, with its message, and is probed again; the others are not affected.
#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    let prober = prober();
    let script = Script::new(&[Line::Panic, Line::Ok]);
    let target = prober.add("a", policy(), script.clone()).unwrap();
    let other = prober.add("b", policy(), Script::new(&[Line::Ok])).unwrap();
    let early = prober.add("c", policy(), || -> std::future::Ready<Result<(), BoxError>> { panic!("{}", 7) }).unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!(error(&target).as_deref(), Some("panicked: at the disco"));
    assert_eq!(error(&early).as_deref(), Some("panicked: 7"));
    pass(SECOND).await;
    assert_eq!((target.state(), other.state()), (ProbeState::Healthy, ProbeState::Healthy));
    assert_eq!(other.status().unwrap().successes, 2);
    assert_eq!(early.status().unwrap().failures, 2);
}

/// PR-07: a panic outside a poll does no harm either: in an error's text, or in a drop.
#[tokio::test(start_paused = true)]
async fn panics_in_odd_places() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in a destructor");
            }
        }
    }
    #[derive(Debug)]
    struct Mute;
    impl std::fmt::Display for Mute {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }
    impl std::error::Error for Mute {}

    let prober = prober();
    let ends = prober
        .add("ends", policy(), || async {
            let _bomb = Bomb;
            Ok::<(), BoxError>(())
        })
        .unwrap();
    let hangs = prober
        .add("hangs", policy(), || async {
            let _bomb = Bomb;
            std::future::pending::<Result<(), BoxError>>().await
        })
        .unwrap();
    let mute = prober.add("mute", policy(), || async { Err::<(), BoxError>(Box::new(Mute)) }).unwrap();
    let task = prober.spawn();
    pass(5 * SECOND).await;
    let failures = [&ends, &hangs, &mute].map(|target| target.status().unwrap().failures);
    assert!(failures.iter().all(|count| *count >= 2), "{failures:?}");
    assert_eq!(mute.state(), ProbeState::Unhealthy);
    task.stop().await;
}

/// PR-07: a probe that blocks its thread is a failure when its time is over; the prober and its other targets go on,
/// and it is not probed a second time meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_probe_that_blocks_its_thread() {
    let prober = prober();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let calls = Arc::new(Mutex::new(0));
    let counted = calls.clone();
    let block = move || {
        *counted.lock().unwrap() += 1;
        let _ = blocked.lock().unwrap().recv();
        async { Ok::<(), BoxError>(()) }
    };
    let fast = quick().interval(20 * MS).timeout(20 * MS).build().unwrap();
    let target = prober.add("stuck", fast, block).unwrap();
    let other = prober.add("fine", fast, || async { Ok::<(), BoxError>(()) }).unwrap();
    let task = prober.spawn();
    until("a failure", || target.status().unwrap().failures == 1).await;
    until("others go on", || other.status().unwrap().successes > 10).await;
    assert_eq!((error(&target).as_deref(), *calls.lock().unwrap()), (Some("timed out after 20ms"), 1));
    drop(release);
    until("it is probed again", || target.state() == ProbeState::Healthy).await;
    task.stop().await;
}

/// PR-10: stopping joins the probes in flight: none of them runs when the stop has ended, and their results are
/// dropped.
#[tokio::test(start_paused = true)]
async fn stopping_joins_what_is_under_way() {
    let changes = Changes::default();
    let prober = changes.prober();
    let scripts: Vec<_> = (0..5).map(|_| Script::new(&[Line::Hang])).collect();
    for (place, script) in scripts.iter().enumerate() {
        prober.add(format!("t{place}"), policy(), script.clone()).unwrap();
    }
    let task = prober.spawn();
    pass(10 * MS).await;
    assert!(scripts.iter().all(|script| script.under_way.lock().unwrap().0 == 1));
    task.stop().await;
    assert!(scripts.iter().all(|script| script.under_way.lock().unwrap().0 == 0));
    assert!(prober.statuses().iter().all(|(_, status)| status.failures == 0));
    assert_eq!(changes.take(), []);
    // Another run continues where this one stopped.
    let task = prober.spawn();
    calm().await;
    assert!(scripts.iter().all(|script| script.count() == 2));
    drop(task);
    calm().await;
    assert!(scripts.iter().all(|script| script.under_way.lock().unwrap().0 == 0), "dropping the handle stops it, too");
}

/// PR-10: a run that is dropped leaves nothing in flight; only one runs at a time, and the next takes over.
#[tokio::test(start_paused = true)]
async fn runs_take_turns() {
    let prober = prober();
    let script = Script::new(&[Line::Hang]);
    prober.add("a", quick().timeout(SECOND).build().unwrap(), script.clone()).unwrap();
    let mut first = Box::pin(prober.run(std::future::pending()));
    tokio::select! {
        biased;
        () = &mut first => unreachable!(),
        () = calm() => {}
    }
    let second = prober.spawn();
    let third = prober.spawn();
    calm().await;
    assert_eq!((script.count(), script.most()), (1, 1));
    drop(first);
    calm().await;
    assert_eq!((script.count(), script.most()), (2, 1));
    third.stop().await;
    assert_eq!(script.under_way.lock().unwrap().0, 1, "it had not had its turn");
    second.stop().await;
    assert_eq!(script.under_way.lock().unwrap().0, 0);
}

/// PR-10: adding and removing 1,000 targets, some with a probe in flight, leaves no task and no timer.
#[tokio::test(start_paused = true)]
async fn a_thousand_targets_leave_nothing_behind() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let prober = Prober::builder().max_concurrent(100).build().unwrap();
    let task = prober.spawn();
    calm().await;
    assert_eq!(alive(), before + 1);
    let add = |place: usize| {
        let line = [Line::Ok, Line::Hang, Line::Takes(700 * MS)][place % 3];
        prober.add(format!("t{place}"), policy(), Script::new(&[line])).unwrap()
    };
    for round in 0..3 {
        let targets: Vec<Target> = (0..1_000).map(add).collect();
        pass(500 * MS).await;
        assert_eq!(alive(), before + 1 + 100, "no more than the bound");
        match round {
            0 => targets.iter().for_each(|target| assert!(target.remove())),
            1 => (0..1_000).for_each(|place| assert!(prober.remove(&format!("t{place}")))),
            // While they are being probed.
            _ => {
                for target in &targets {
                    target.restart();
                    assert!(target.remove());
                }
            }
        }
        calm().await;
        assert_eq!((alive(), prober.statuses().len()), (before + 1, 0), "round {round}");
    }
    // No timer: the clock, which advances by itself while a task waits for it, has only this one to advance for.
    let start = crate::support::now();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(crate::support::now() - start, Duration::from_secs(3600));
    task.stop().await;
    assert_eq!(alive(), before);
}

/// PR-10: targets come and go from many threads while the prober runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let prober = Prober::builder().max_concurrent(4).build().unwrap();
    let task = prober.spawn();
    let fast = quick().interval(MS).build().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let prober = prober.clone();
            std::thread::spawn(move || {
                for round in 0..200 {
                    let name = format!("{thread}-{round}");
                    let target = prober.add(name.clone(), fast, || async { Ok::<(), BoxError>(()) }).unwrap();
                    match round % 4 {
                        0 => drop(target.restart()),
                        1 => drop(target.set_policy(None)),
                        2 => std::thread::yield_now(),
                        _ => drop(prober.statuses()),
                    }
                    assert!(prober.remove(&name));
                }
            })
        })
        .collect();
    until("all threads ended", || threads.iter().all(|thread| thread.is_finished())).await;
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let last = prober.add("last", fast, || async { Ok::<(), BoxError>(()) }).unwrap();
    until("it still works", || last.status().unwrap().successes > 3).await;
    task.stop().await;
    until("nothing is left", || alive() == before).await;
}

/// A target's name is unique, and free again once it is removed.
#[tokio::test]
async fn names() {
    let prober = prober();
    let add = |name: &'static str| prober.add(name, policy(), Script::default());
    let error = |result: Result<Target, seaworthy::ConfigError>| result.unwrap_err().to_string();
    assert_eq!(error(add("")), "probe: name is \"\", must not be empty");
    add("a").unwrap();
    assert_eq!(error(add("a")), "probe: name is \"a\", must not be the name of another target");
    add("b").unwrap();
    assert!(prober.remove("a") && !prober.remove("a"));
    add("a").unwrap();
    let names: Vec<_> = prober.statuses().into_iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["b", "a"]);
    assert!(prober.target("b").is_some() && prober.target("c").is_none() && prober.status("b").is_some());
    let builder = |most| Prober::builder().max_concurrent(most).build().map(drop).unwrap_err().to_string();
    assert_eq!(builder(0), "prober: max_concurrent is 0, must be at least 1");
    assert_eq!(builder(10_001), "prober: max_concurrent is 10001, must not be greater than 10,000");
}

assert_impl_all!(Prober: Clone, std::fmt::Debug, Send, Sync, Unpin);
assert_impl_all!(Target: Clone, std::fmt::Debug, Send, Sync, Unpin, seaworthy::Check);
assert_impl_all!(ProberTask: std::fmt::Debug, Send, Sync, Unpin);
assert_impl_all!(ProbePolicy: Copy, std::fmt::Debug, Eq, Send, Sync);
assert_impl_all!(OpenGuard: std::fmt::Debug, Send, Sync, Unpin, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_not_impl_any!(OpenGuard: Clone);

/// The run can go anywhere a task can.
#[test]
fn the_run_may_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let prober = prober();
    is_send(&prober.run(async {}));
}

/// A probe that is refused, replaced or removed is dropped where it may call any method of the prober.
#[tokio::test]
async fn dropped_without_the_lock() {
    struct Asks(Prober, Arc<Mutex<usize>>);
    impl Drop for Asks {
        fn drop(&mut self) {
            let _ = self.0.statuses();
            *self.1.lock().unwrap() += 1;
        }
    }
    impl Probe for Asks {
        async fn probe(&self) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let (prober, dropped) = (prober(), Arc::new(Mutex::new(0)));
    let asks = || Asks(prober.clone(), dropped.clone());
    let target = prober.add("a", policy(), asks()).unwrap();
    assert!(prober.add("a", policy(), asks()).is_err());
    assert!(target.set_probe(policy(), asks()));
    assert!(target.remove());
    assert!(!target.set_probe(policy(), asks()));
    assert_eq!(*dropped.lock().unwrap(), 4);
}

fn is_probe<P: Probe>(_: &P) {}

#[test]
fn a_closure_may_keep_what_it_needs() {
    let shared = Arc::new(Mutex::new(0));
    is_probe(&move || {
        let shared = shared.clone();
        async move {
            *shared.lock().unwrap() += 1;
            Err::<(), _>("sick")
        }
    });
}
