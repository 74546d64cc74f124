use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use seaworthy::{BoxError, Rejected, StackError, Timeout, TimeoutLayer};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{Script, Told};
use crate::support::{MS, SECOND, advance};

const LIMIT: Duration = Duration::from_millis(20);

/// TO-01: dropped after any number of polls, before and after the timer was made and after it went off, it takes inner
/// with it and reports nothing.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_await() {
    let told = Told::default();
    let layer = Timeout::builder(LIMIT).observer(told.observer()).build().unwrap();
    for polls in 0..4 {
        for rest in [Duration::ZERO, LIMIT] {
            let script = Script::default();
            let mut call = spawn(layer.run(script.start()));
            for _ in 0..polls {
                assert_pending!(call.poll());
            }
            advance(rest).await;
            assert_eq!((script.polls(), script.alive()), (polls, 1));
            drop(call);
            assert_eq!(script.alive(), 0);
        }
    }
    assert_eq!(told.take(), []);
}

/// TO-01: the timer of an answered or dropped call wakes nothing.
#[tokio::test(start_paused = true)]
async fn a_timer_ends_with_its_call() {
    let script = Script::default();
    let layer = Timeout::new(LIMIT);
    let mut task = spawn(async {
        let answer = layer.run(script.start()).await;
        assert_eq!(answer.unwrap(), "done");
        pending::<()>().await;
    });
    assert_pending!(task.poll());
    script.answer(Ok("done"));
    assert!(task.is_woken());
    assert_pending!(task.poll());
    advance(SECOND).await;
    assert!(!task.is_woken());
}

/// TO-01: a panic of inner goes to the caller, on the first poll and on a later one; the rest can be dropped.
#[tokio::test(start_paused = true)]
async fn panics_pass() {
    for last in [1, 2] {
        let mut polls = 0;
        let alive = Script::default();
        let guard = alive.start();
        let inner = std::future::poll_fn(move |_| {
            let _keep = &guard;
            polls += 1;
            assert!(polls < last, "inner is broken");
            std::task::Poll::<Result<(), BoxError>>::Pending
        });
        let mut call = spawn(Timeout::new(LIMIT).run(inner));
        for _ in 1..last {
            assert_pending!(call.poll());
        }
        let panic = catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"inner is broken"));
        assert_eq!(alive.alive(), 1);
        drop(call);
        assert_eq!(alive.alive(), 0);
    }
}

/// TO-01: an inner future that panics when it is dropped is dropped once.
#[tokio::test(start_paused = true)]
async fn a_panic_in_a_drop_passes() {
    struct Bomb(Script);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.answer(Ok("dropped"));
            panic!("boom");
        }
    }
    let script = Script::default();
    let bomb = Bomb(script.clone());
    let mut call = spawn(Timeout::new(LIMIT).run(async move {
        let _bomb = bomb;
        pending::<Result<(), BoxError>>().await
    }));
    assert_pending!(call.poll());
    advance(LIMIT).await;
    assert!(catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).is_err());
    drop(call);
}

/// TO-01: around it and below it, `Buffer` and `LoadShed` survive a call that times out.
#[tokio::test(start_paused = true)]
async fn lives_with_buffer_and_load_shed() {
    let hang_on_zero = service_fn(async |request: u32| match request {
        0 => pending().await,
        _ => Ok::<_, BoxError>(request),
    });
    let layer = TimeoutLayer::new(LIMIT);
    let above = ServiceBuilder::new().layer(layer.clone()).load_shed().buffer(4).service(hang_on_zero);
    let below = ServiceBuilder::new().load_shed().buffer(4).layer(layer).service(hang_on_zero);
    for round in 1..4 {
        let error = above.clone().oneshot(0).await.unwrap_err();
        assert_eq!(error.rejected(), Some(&Rejected::TimedOut { after: LIMIT.into(), timeout: None }));
        assert_eq!(above.clone().oneshot(round).await.unwrap(), round);
        let error = below.clone().oneshot(0).await.unwrap_err();
        assert_eq!(error.rejected(), Some(&Rejected::TimedOut { after: LIMIT.into(), timeout: None }));
        assert_eq!(below.clone().oneshot(round).await.unwrap(), round);
    }
}

/// TO-01: a permit held by the inner future is free when the caller learns that its call timed out.
#[tokio::test(start_paused = true)]
async fn what_inner_holds_is_given_back() {
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(LIMIT))
        .concurrency_limit(1)
        .service(service_fn(|()| pending::<Result<(), BoxError>>()));
    let (mut first, mut second) = (spawn(service.clone().oneshot(())), spawn(service.oneshot(())));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    advance(LIMIT - MS).await;
    assert!(!second.is_woken());
    advance(MS).await;
    assert!(assert_ready!(first.poll()).is_err());
    // The first future still exists, but the second was let in.
    assert!(second.is_woken());
    assert_pending!(second.poll());
    advance(LIMIT).await;
    assert!(assert_ready!(second.poll()).is_err());
    drop(first);
}
