use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use seaworthy::{BoxError, Health, Phase};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, service_fn};

use super::serving;

/// How a backend becomes ready and answers: pending this many times, and then this.
#[derive(Clone, Copy, Debug)]
struct Steps {
    ready_after: u32,
    done_after: u32,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Error,
    PanicInReady,
    PanicInCall,
    PanicInPoll,
}

impl Service<()> for Steps {
    type Response = ();
    type Error = BoxError;
    type Future = Steps;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.ready_after > 0 {
            self.ready_after -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        assert!(self.end != End::PanicInReady, "on purpose");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Steps {
        assert!(self.end != End::PanicInCall, "on purpose");
        *self
    }
}

impl Future for Steps {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.done_after > 0 {
            self.done_after -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.end {
            End::Error => Poll::Ready(Err("on purpose".into())),
            End::PanicInPoll => panic!("on purpose"),
            _ => Poll::Ready(Ok(())),
        }
    }
}

const ENDS: [End; 5] = [End::Success, End::Error, End::PanicInReady, End::PanicInCall, End::PanicInPoll];

/// Polls `call` this many times, drops it, and checks at each poll: counted until its end, and not after it.
fn drive<F: Future>(health: &Health, call: F, polls: u32, story: &str) {
    let mut call = Box::pin(task::spawn(call));
    for _ in 0..polls {
        assert_eq!(health.in_flight(), 1, "{story}");
        // However it ended, it is no longer in flight before the future is dropped.
        match catch_unwind(AssertUnwindSafe(|| call.poll().is_pending())) {
            Ok(true) => {}
            Ok(false) | Err(_) => {
                assert_eq!(health.in_flight(), 0, "{story}");
                break;
            }
        }
    }
    drop(call);
    assert_eq!(health.in_flight(), 0, "{story}");
}

/// RD-09: whatever the end is, and at whichever poll the request is dropped, it is not counted afterwards.
#[test]
fn dropped_at_every_poll() {
    for end in ENDS {
        for polls in 0..8 {
            let health = Health::new();
            let mut service = health.readiness_layer().layer(Steps { ready_after: 2, done_after: 2, end });
            // Not ready yet: the inner service is left alone.
            assert!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)).is_ready());
            health.advance(Phase::Serving);
            drive(&health, service.call(()), polls, &format!("late, {end:?}, {polls}"));

            if matches!(end, End::PanicInReady | End::PanicInCall) {
                continue;
            }
            let mut service = health.readiness_layer().layer(Steps { ready_after: 0, done_after: 2, end });
            assert!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)).is_ready());
            drive(&health, service.call(()), polls, &format!("ready, {end:?}, {polls}"));
        }
    }
}

/// RD-09: a panic in the inner service's `call` ends the count, in the caller's `call` as well.
#[test]
fn panic_in_call() {
    let health = serving();
    let mut service = health.readiness_layer().layer(Steps { ready_after: 0, done_after: 0, end: End::PanicInCall });
    assert!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)).is_ready());
    assert!(catch_unwind(AssertUnwindSafe(|| service.call(()))).is_err());
    assert_eq!(health.in_flight(), 0);
}

/// RD-09: dropping a request drops the inner future first: shutdown does not go on while that still runs.
#[test]
fn the_count_outlives_the_inner_future() {
    struct Watch(Health);

    impl Drop for Watch {
        fn drop(&mut self) {
            assert_eq!(self.0.in_flight(), 1, "it is still counted");
        }
    }

    let health = serving();
    let inner = service_fn(|watch: Watch| async move {
        let _watch = watch;
        std::future::pending::<Result<(), BoxError>>().await
    });
    let mut service = health.readiness_layer().layer(inner);
    assert!(task::spawn(()).enter(|cx, _| Service::<Watch>::poll_ready(&mut service, cx)).is_ready());
    let mut call = task::spawn(service.call(Watch(health.clone())));
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(health.in_flight(), 0);
}

/// RD-09: `idle` may be dropped at any time; the other waiters are woken.
#[test]
fn idle_dropped() {
    let health = serving();
    let request = health.admit().unwrap();
    let mut idles = [(); 3].map(|()| task::spawn(health.idle()));
    idles.iter_mut().for_each(|idle| assert_pending!(idle.poll()));
    let [first, mut second, third] = idles;
    drop((first, third));
    drop(request);
    assert!(second.is_woken());
    // A request came in between: it is not idle.
    let request = health.admit().unwrap();
    assert_pending!(second.poll());
    drop(request);
    assert!(second.is_woken() && second.poll().is_ready());
}
