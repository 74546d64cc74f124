//! Several threads, in real time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use seaworthy::runner::RegisterError;

use super::{Result, builder, wrong};

/// RN-01: threads that register while the shutdown begins: a task that was accepted is awaited, even if it takes a
/// moment to end, and one that was not gets an error.
#[test]
fn register_while_it_ends() {
    for round in 0..60 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (begun, done, cleaned) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let runner = runtime.block_on(async { builder().build().unwrap() });
        let barrier = Arc::new(Barrier::new(4));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (handle, barrier) = (runner.handle(), Arc::clone(&barrier));
                let (begun, done, cleaned) = (Arc::clone(&begun), Arc::clone(&done), Arc::clone(&cleaned));
                thread::spawn(move || {
                    barrier.wait();
                    let (mut tasks, mut hooks) = (0, 0);
                    loop {
                        let (begun, done, cleaned) = (Arc::clone(&begun), Arc::clone(&done), Arc::clone(&cleaned));
                        let cleanup = handle.cleanup("hook", async move || {
                            cleaned.fetch_add(1, Ordering::SeqCst);
                            Result::Ok(())
                        });
                        hooks += u64::from(cleanup.is_ok());
                        let task = handle.task("task", async move |shutdown| {
                            begun.fetch_add(1, Ordering::SeqCst);
                            shutdown.requested().await;
                            tokio::task::yield_now().await;
                            done.fetch_add(1, Ordering::SeqCst);
                            Result::Ok(())
                        });
                        match task {
                            Ok(()) => tasks += 1,
                            Err(RegisterError::ShuttingDown { .. }) => return (tasks, hooks),
                            Err(other) => panic!("{other}"),
                        }
                    }
                })
            })
            .collect();
        let handle = runner.handle();
        let stopper = thread::spawn(move || {
            barrier.wait();
            for _ in 0..round * 50 {
                std::hint::spin_loop();
            }
            handle.stop();
        });
        let result = runtime.block_on(runner.run());
        assert_eq!(wrong(result), [""; 0]);
        let (done, cleaned) = (done.load(Ordering::SeqCst), cleaned.load(Ordering::SeqCst));
        stopper.join().unwrap();
        let accepted: Vec<(u64, u64)> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let tasks: u64 = accepted.iter().map(|(tasks, _)| tasks).sum();
        let hooks: u64 = accepted.iter().map(|(_, hooks)| hooks).sum();
        assert_eq!((begun.load(Ordering::SeqCst), done, cleaned), (tasks, tasks, hooks), "round {round}");
    }
}

/// RN-01: the same while it is aborted: no task is left running, accepted or not.
#[test]
fn register_while_it_is_dropped() {
    for _ in 0..60 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let alive = Arc::new(());
        let runner = runtime.block_on(async { builder().build().unwrap() });
        let handle = runner.handle();
        let barrier = Arc::new(Barrier::new(3));
        let threads = [(); 2].map(|()| {
            let (handle, barrier, alive) = (runner.handle(), Arc::clone(&barrier), Arc::clone(&alive));
            thread::spawn(move || {
                barrier.wait();
                loop {
                    let alive = Arc::clone(&alive);
                    let endless = async move |_| {
                        let _alive = &alive;
                        std::future::pending::<Result>().await
                    };
                    if handle.task("endless", endless).is_err() {
                        return;
                    }
                }
            })
        });
        barrier.wait();
        drop(runner);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Nothing waits for them, so give them as long as a busy machine may take.
        for _ in 0..10_000 {
            if Arc::strong_count(&alive) == 1 && handle.tasks().is_empty() {
                break;
            }
            runtime.block_on(super::nap(Duration::from_millis(1)));
        }
        assert_eq!((Arc::strong_count(&alive), handle.tasks().len()), (1, 0));
    }
}

/// RN-07: a task that blocks its thread is named, and `run` returns all the same, a moment after the grace period.
#[test]
fn a_blocked_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (release, blocked) = mpsc::channel::<()>();
    let (entered, has_entered) = mpsc::channel();
    let runner = runtime.block_on(async { builder().grace_period(Duration::from_millis(50)).build().unwrap() });
    runner
        .task("blocked", async move |_| {
            entered.send(()).unwrap();
            let _ = blocked.recv();
            Result::Ok(())
        })
        .unwrap();
    runner.task("polite", |_| std::future::pending::<Result>()).unwrap();
    has_entered.recv().unwrap();
    runner.handle().stop();
    let begin = crate::support::now();
    let lines = wrong(runtime.block_on(runner.run()));
    assert!(crate::support::now() - begin < Duration::from_secs(5));
    assert_eq!(lines, ["task `blocked` blocks its thread and could not be aborted", "task `polite` was aborted"]);
    drop(release);
}
