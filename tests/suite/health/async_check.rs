use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::{AsyncCheck, BoxError, Check, Name, Status};
use tokio::sync::watch;
use tokio_test::{assert_pending, assert_ready, task};

use super::serving;
use crate::support::{MS, SECOND, advance, now};

const LIMIT: Duration = Duration::from_millis(500);

/// A check answered by the test, which counts how often it was begun and how many runs are alive.
#[derive(Clone, Debug)]
struct Ping {
    answer: watch::Sender<Option<Result<(), &'static str>>>,
    begun: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ping {
    fn new() -> Ping {
        Ping { answer: watch::Sender::new(None), begun: Arc::default(), alive: Arc::default() }
    }

    fn run(&self) -> impl Future<Output = Result<(), &'static str>> + Send + use<> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.alive.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&self.alive));
        let mut answer = self.answer.subscribe();
        async move {
            let _alive = alive;
            let answer = answer.wait_for(Option::is_some).await.map(|answer| *answer);
            answer.ok().flatten().unwrap_or(Err("gone"))
        }
    }

    fn check(&self) -> AsyncCheck {
        let ping = self.clone();
        AsyncCheck::new(move || ping.run())
    }

    fn kept(&self, time: Duration) -> AsyncCheck {
        let ping = self.clone();
        AsyncCheck::builder(move || ping.run()).min_interval(time).build().unwrap()
    }

    fn answer(&self, answer: Result<(), &'static str>) {
        self.answer.send_replace(Some(answer));
    }

    fn hold(&self) {
        self.answer.send_replace(None);
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }
}

fn down(reason: &'static str) -> Status {
    Status::Down(Name::from(reason))
}

/// HE-08: any number of runs at the same time are one, and all of them get its result; the next is another.
#[tokio::test(start_paused = true)]
async fn coalesced() {
    let ping = Ping::new();
    let check = ping.check();
    let mut runs: Vec<_> = (0..100).map(|_| task::spawn(check.clone().run())).collect();
    // Nothing happens before the first poll.
    assert_eq!(ping.begun(), 0);
    runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
    assert_eq!((ping.begun(), ping.alive()), (1, 1));
    ping.answer(Err("no route"));
    for run in &mut runs {
        assert!(run.is_woken());
        assert_eq!(assert_ready!(run.poll()), down("no route"));
    }
    assert_eq!((ping.begun(), ping.alive()), (1, 0));
    ping.answer(Ok(()));
    assert_eq!(assert_ready!(task::spawn(check.run()).poll()), Status::Up);
    assert_eq!((ping.begun(), ping.alive()), (2, 0));
}

/// HE-08: the caller that began a run may go: it goes on for the others, whichever of them was driving it.
#[tokio::test(start_paused = true)]
async fn the_first_may_hang_up() {
    for leaver in 0..3 {
        for answered in [false, true] {
            let ping = Ping::new();
            let check = ping.check();
            let mut runs: Vec<_> = (0..3).map(|_| task::spawn(check.run())).collect();
            runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
            if answered {
                // The wake-up may have reached only the one that goes.
                ping.answer(Ok(()));
            }
            drop(runs.remove(leaver));
            if !answered {
                runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
                ping.answer(Ok(()));
            }
            for run in &mut runs {
                assert!(run.is_woken());
                assert_eq!(assert_ready!(run.poll()), Status::Up);
            }
            assert_eq!((ping.begun(), ping.alive()), (1, 0));
        }
    }
}

/// HE-08: a run that is no longer waited for is dropped and leaves no result; the next caller begins another, with the
/// full time.
#[tokio::test(start_paused = true)]
async fn abandoned() {
    let ping = Ping::new();
    let check = ping.check();
    let mut runs = [(); 2].map(|()| task::spawn(check.run()));
    runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
    drop(runs);
    assert_eq!((ping.begun(), ping.alive()), (1, 0));
    advance(LIMIT * 3).await;
    assert_eq!(check.status(), Status::Up);
    let mut run = task::spawn(check.run());
    assert_pending!(run.poll());
    advance(LIMIT - MS).await;
    assert_pending!(run.poll());
    ping.answer(Ok(()));
    assert_eq!(assert_ready!(run.poll()), Status::Up);
    assert_eq!(ping.begun(), 2);
}

/// HE-04: when its time is up a run has failed, for all waiters, and its future is dropped; not before.
#[tokio::test(start_paused = true)]
async fn a_hard_timeout() {
    let ping = Ping::new();
    let check = ping.check();
    let mut runs = [(); 2].map(|()| task::spawn(check.run()));
    runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
    advance(LIMIT - MS).await;
    runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
    advance(MS * 2).await;
    assert!(runs[1].is_woken());
    assert_eq!(assert_ready!(runs[1].poll()), down("timed out after 500ms"));
    assert_eq!(ping.alive(), 0);
    assert_eq!(assert_ready!(runs[0].poll()), down("timed out after 500ms"));
}

/// Uses up its task's cooperative budget on every poll, and wants to be polled again at once.
struct Rude;

impl Future for Rude {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Poll::Ready(coop) = tokio::task::coop::poll_proceed(cx) {
            coop.made_progress();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// HE-04: even one that does not yield. In real time, because a paused clock stands still while a task is busy.
#[tokio::test]
async fn a_rude_check() {
    let check = AsyncCheck::builder(|| Rude).timeout(MS * 20).build().unwrap();
    assert_eq!(check.run().await, down("timed out after 20ms"));
}

/// HE-05: a panic, when it is made or polled or dropped, is a failure with its message; the next run is a new one.
#[tokio::test(start_paused = true)]
async fn panics() {
    struct PanicInDrop;
    impl Drop for PanicInDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let made = AsyncCheck::new(|| -> std::future::Ready<Result<(), BoxError>> { panic!("when made") });
    assert_eq!(made.run().await, down("panicked: when made"));
    assert_eq!(made.run().await, down("panicked: when made"));
    let polled = AsyncCheck::new(|| async { seven() });
    assert_eq!(polled.run().await, down("panicked: number 7"));
    let dropped = AsyncCheck::new(|| async {
        let _panics = PanicInDrop;
        pending::<Result<(), BoxError>>().await
    });
    assert_eq!(dropped.run().await, down("timed out after 500ms"));
    let mut abandoned = task::spawn(dropped.run());
    assert_pending!(abandoned.poll());
    drop(abandoned);
}

fn seven() -> Result<(), BoxError> {
    panic!("number {}", 7)
}

/// HE-04: outside a runtime, a check that has to wait is down, and one that has its answer is not.
#[test]
fn outside_of_a_runtime() {
    let check = AsyncCheck::new(|| async { Ok::<_, BoxError>(()) });
    assert_eq!(assert_ready!(task::spawn(check.run()).poll()), Status::Up);
    let check = AsyncCheck::new(pending::<Result<(), BoxError>>);
    assert!(!assert_ready!(task::spawn(check.run()).poll()).is_up());
}

/// HE-08: `min_interval` keeps a result, good or bad, from when the run has ended, and no longer.
#[tokio::test(start_paused = true)]
async fn kept_for_a_while() {
    let ping = Ping::new();
    let check = ping.kept(SECOND);
    ping.answer(Err("down"));
    assert_eq!(check.run().await, down("down"));
    ping.answer(Ok(()));
    advance(SECOND - MS).await;
    assert_eq!((check.run().await, ping.begun()), (down("down"), 1));
    advance(MS).await;
    assert_eq!((check.run().await, ping.begun()), (Status::Up, 2));
    ping.hold();
    assert_eq!((check.run().await, ping.begun()), (Status::Up, 2));
    let for_ever = AsyncCheck::builder(|| async { Ok::<_, BoxError>(()) })
        .min_interval(Duration::MAX)
        .max_age(Duration::MAX)
        .timeout(Duration::MAX);
    assert_eq!(for_ever.build().unwrap().run().await, Status::Up);
}

/// RD-08: the readiness layer sees the last result without waiting: up before the first, then the result. A failure
/// that has not been checked again for long does not keep requests out for ever.
#[tokio::test(start_paused = true)]
async fn the_last_result_is_the_layers() {
    let ping = Ping::new();
    let health = serving();
    health.require("database", ping.check()).unwrap();
    assert!(health.is_ready());
    ping.answer(Err("down"));
    assert!(!health.run_checks().await.is_ready());
    assert!(!health.is_ready());
    // While it runs again, the last result stands.
    ping.hold();
    let mut checks = task::spawn(health.run_checks());
    assert_pending!(checks.poll());
    assert!(!health.is_ready());
    ping.answer(Ok(()));
    assert!(assert_ready!(checks.poll()).is_ready());
    assert!(health.is_ready());

    ping.answer(Err("down"));
    health.run_checks().await;
    advance(SECOND * 60 - MS).await;
    assert!(!health.is_ready());
    advance(MS).await;
    assert!(health.is_ready());
    assert_eq!(ping.begun(), 3);
}

/// HE-03: checks run at the same time: all of them take as long as the slowest.
#[tokio::test(start_paused = true)]
async fn at_the_same_time() {
    let health = serving();
    for tenths in 1..=4u32 {
        let check = AsyncCheck::new(move || async move {
            #[allow(clippy::disallowed_methods, reason = "a check that takes its time, on a paused clock")]
            tokio::time::sleep(MS * 100 * tenths).await;
            Ok::<_, BoxError>(())
        });
        health.require(format!("{tenths}"), check).unwrap();
    }
    let start = now();
    assert!(health.run_checks().await.is_ready());
    let took = now() - start;
    assert!(took >= MS * 400 && took < MS * 410, "{took:?}");
}

/// HE-04: settings that make no sense are errors.
#[test]
fn settings() {
    let builder = || AsyncCheck::builder(|| async { Ok::<_, BoxError>(()) });
    let table = [
        (builder().timeout(Duration::ZERO), "timeout", "must be longer than zero"),
        (builder().max_age(Duration::ZERO), "max_age", "must be longer than zero"),
        (builder().min_interval(SECOND * 61), "max_age", "must not be shorter than `min_interval`"),
    ];
    for (builder, field, rule) in table {
        let error = builder.build().unwrap_err();
        assert_eq!((error.field(), error.rule()), (field, rule));
    }
    assert!(builder().timeout(Duration::from_nanos(1)).min_interval(SECOND * 60).build().is_ok());
}

/// HE-08: two threads and many tasks: each gets a result, no run is lost, no two are alive at a time.
#[test]
fn a_storm() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let check = AsyncCheck::new(move || {
            let running = alive.fetch_add(1, Ordering::SeqCst) + 1;
            seen.fetch_max(running, Ordering::SeqCst);
            let alive = Alive(Arc::clone(&alive));
            async move {
                let _alive = alive;
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                Ok::<_, BoxError>(())
            }
        });
        let tasks: Vec<_> = (0..64)
            .map(|task| {
                let check = check.clone();
                tokio::spawn(async move {
                    for round in 0..50 {
                        if (task + round) % 7 == 0 {
                            // One that hangs up.
                            let mut run = task::spawn(check.run());
                            let _ended_or_not = run.poll();
                        } else {
                            assert_eq!(check.run().await, Status::Up);
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 1);
    });
}
