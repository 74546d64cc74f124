use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use seaworthy::{BoxError, Bulkhead};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service};

use super::{assert_idle, patient};
use crate::support::SECOND;

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

/// A call that waits for a permit, then for the inner service, then for the response. The permit comes after
/// `slot_after` polls. It is dropped after `polls` of them, unless it has ended before.
fn drive(bulkhead: &Bulkhead, end: End, slot_after: u32, polls: u32) {
    let mut held = Some(bulkhead.try_acquire().expect("free"));
    let mut service = bulkhead.layer().layer(Steps { ready_after: 2, done_after: 2, end });
    let mut call = task::spawn(service.call(()));
    for poll in 0..polls {
        if poll == slot_after {
            held = None;
        }
        match catch_unwind(AssertUnwindSafe(|| call.poll())) {
            Ok(Poll::Pending) => {}
            // However it ended, the permit is free before the future is dropped.
            Ok(Poll::Ready(_)) | Err(_) => {
                assert_idle(bulkhead);
                break;
            }
        }
        let (in_use, waiting) = if held.is_some() { (1, 1) } else { (1, 0) };
        assert_eq!((bulkhead.in_use(), bulkhead.queued()), (in_use, waiting), "{end:?}, poll {poll}");
    }
    drop(call);
    drop(held);
    assert_idle(bulkhead);
}

/// BH-06: however a call ends, and at whichever await point it is dropped, nothing is lost.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_await_point() {
    let bulkhead = patient(1);
    for end in ENDS {
        for slot_after in 0..3 {
            for polls in 0..12 {
                drive(&bulkhead, end, slot_after, polls);
            }
        }
    }
}

/// BH-06: the same for a call that found a free permit, and a service that was ready.
#[test]
fn dropped_without_waiting() {
    let bulkhead = patient(1);
    for end in [End::Success, End::Error, End::PanicInPoll] {
        for polls in 0..5 {
            let mut service = bulkhead.layer().layer(Steps { ready_after: 0, done_after: 2, end });
            assert_ready_ok!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)));
            let mut call = task::spawn(service.call(()));
            for poll in 0..polls {
                assert_eq!(bulkhead.in_use(), u32::from(poll <= 2));
                if catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).unwrap_or(true) {
                    assert_idle(&bulkhead);
                    break;
                }
            }
            drop(call);
            assert_idle(&bulkhead);
        }
    }
}

/// BH-06: a panic in the inner service's `call` releases the permit, in the caller's `call` as well.
#[test]
fn panic_in_call() {
    let bulkhead = patient(1);
    let mut service = bulkhead.layer().layer(Steps { ready_after: 0, done_after: 0, end: End::PanicInCall });
    assert_ready_ok!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)));
    assert!(catch_unwind(AssertUnwindSafe(|| service.call(()))).is_err());
    assert_idle(&bulkhead);
}

/// BH-06: `acquire` and `run`, dropped at every await point.
#[tokio::test(start_paused = true)]
async fn handle_futures_dropped() {
    let bulkhead = patient(1);
    for polls in 0..6 {
        for slot_after in 0..3 {
            let mut held = Some(bulkhead.try_acquire().expect("free"));
            let mut run = task::spawn(bulkhead.run(Steps { ready_after: 0, done_after: 2, end: End::Success }));
            let mut take = task::spawn(bulkhead.acquire());
            let mut taken = None;
            for poll in 0..polls {
                if poll == slot_after {
                    held = None;
                }
                if taken.is_none() {
                    taken = match take.poll() {
                        Poll::Ready(permit) => Some(permit.expect("granted")),
                        Poll::Pending => None,
                    };
                }
                if run.poll().is_ready() {
                    break;
                }
            }
            drop((run, take, taken, held));
            assert_idle(&bulkhead);
        }
    }
}

/// BH-06: a permit granted to a call that is dropped goes to the next waiter.
#[tokio::test(start_paused = true)]
async fn a_granted_slot_is_passed_on() {
    let bulkhead = patient(1);
    let permit = bulkhead.try_acquire().expect("free");
    let [mut first, mut second, mut third] = [(); 3].map(|()| task::spawn(bulkhead.acquire()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_pending!(third.poll());
    drop(permit);
    assert!(first.is_woken() && !second.is_woken());
    // It got its permit and was never polled again.
    drop(first);
    assert!(second.is_woken() && !third.is_woken());
    // One that is dropped before it gets a permit just leaves.
    drop(third);
    assert_eq!((bulkhead.in_use(), bulkhead.queued()), (1, 0));
    assert!(assert_ready!(second.poll()).is_ok());
    assert_idle(&bulkhead);
}

/// BH-06: dropping a call drops the inner future first: the permit goes to no other call while that still runs.
#[tokio::test(start_paused = true)]
async fn the_slot_outlives_the_inner_future() {
    struct Watch(Bulkhead);

    impl Drop for Watch {
        fn drop(&mut self) {
            assert_eq!(self.0.in_use(), 1, "the permit is still held");
        }
    }

    let bulkhead = patient(1);
    let inner = tower::service_fn(|watch: Watch| async move {
        let _watch = watch;
        std::future::pending::<()>().await;
        Ok::<(), BoxError>(())
    });
    let mut service = bulkhead.layer().layer(inner);
    assert_ready_ok!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)));
    let mut call = task::spawn(service.call(Watch(bulkhead.clone())));
    assert_pending!(call.poll());
    drop(call);
    let watch = Watch(bulkhead.clone());
    let mut run = task::spawn(bulkhead.run(async move {
        let _watch = watch;
        tokio::time::timeout(SECOND, std::future::pending::<()>()).await?;
        Ok::<(), BoxError>(())
    }));
    assert_pending!(run.poll());
    drop(run);
    assert_idle(&bulkhead);
}
