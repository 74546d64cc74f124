use std::cell::Cell;
use std::task::Poll;

use seaworthy::{BoxError, Bulkhead, Deadline, DeadlineStage, Rejected, StackError};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::{MS, Told, stage};

fn bulkhead(max_wait: Duration) -> Bulkhead {
    Bulkhead::builder("b").limit(1).max_wait(max_wait).build().unwrap()
}

async fn run(bulkhead: &Bulkhead, polled: &Cell<u32>) -> Result<(), BoxError> {
    bulkhead
        .run(async {
            polled.set(polled.get() + 1);
            Ok(())
        })
        .await
}

/// DL-07: a call that waits leaves the queue at the deadline, with that for a reason; its permit stays nobody's.
#[tokio::test(start_paused = true)]
async fn dl_07_leaves_the_queue() {
    let (told, polled) = (Told::default(), Cell::new(0));
    let bulkhead = Bulkhead::builder("b").limit(1).max_wait(9 * MS).observer(told.clone()).build().unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    let mut call = spawn(Deadline::within(5 * MS).scope(run(&bulkhead, &polled)));
    assert_pending!(call.poll());
    assert_eq!(bulkhead.queued(), 1);
    advance(5 * MS - Duration::from_nanos(1)).await;
    assert_pending!(call.poll());
    advance(Duration::from_nanos(1)).await;
    advance(MS).await;
    assert!(call.is_woken());
    assert_eq!(stage(assert_ready!(call.poll())), Some(DeadlineStage::Queue));
    assert_eq!((bulkhead.queued(), bulkhead.in_use(), polled.get()), (0, 1, 0));
    assert_eq!((told.take(), bulkhead.snapshot().rejected), (vec!["b queue 1ms".to_string()], 0));
    drop(permit);
    run(&bulkhead, &polled).await.unwrap();
}

/// DL-07: where the longest wait ends at the same moment, the bulkhead was full; and if it ends earlier.
#[tokio::test(start_paused = true)]
async fn dl_07_at_the_same_moment() {
    for deadline in [5 * MS, 6 * MS] {
        let (bulkhead, polled) = (bulkhead(5 * MS), Cell::new(0));
        let _permit = bulkhead.try_acquire().unwrap();
        let error = Deadline::within(deadline).scope(run(&bulkhead, &polled)).await.unwrap_err();
        assert!(matches!(error.rejected(), Some(Rejected::BulkheadFull { .. })), "{error}");
    }
}

/// DL-07: a permit that is granted too late goes on to the next, in the same poll, and the inner service is not called.
#[tokio::test(start_paused = true)]
async fn dl_07_granted_too_late() {
    let (bulkhead, polled) = (bulkhead(Duration::MAX), Cell::new(0));
    let permit = bulkhead.try_acquire().unwrap();
    let mut late = spawn(Deadline::within(5 * MS).scope(run(&bulkhead, &polled)));
    let mut next = spawn(run(&bulkhead, &polled));
    assert_pending!(late.poll());
    assert_pending!(next.poll());
    drop(permit);
    advance(5 * MS).await;
    assert!(!next.is_woken());
    assert_eq!(stage(assert_ready!(late.poll())), Some(DeadlineStage::Queue));
    assert_eq!(polled.get(), 0);
    assert!(next.is_woken());
    assert_ready!(next.poll()).unwrap();
    assert_eq!((bulkhead.in_use(), polled.get()), (0, 1));
}

/// DL-07: granted in time but polled late, it is too late as well; granted and polled in time, it passes.
#[tokio::test(start_paused = true)]
async fn dl_07_granted_in_time() {
    let (bulkhead, polled) = (bulkhead(Duration::MAX), Cell::new(0));
    for (wait, passes) in [(4 * MS, true), (5 * MS, false)] {
        let permit = bulkhead.try_acquire().unwrap();
        let mut call = spawn(Deadline::within(5 * MS).scope(run(&bulkhead, &polled)));
        assert_pending!(call.poll());
        drop(permit);
        advance(wait).await;
        let result = assert_ready!(call.poll());
        assert_eq!((stage(result).is_none(), bulkhead.in_use()), (passes, 0));
    }
}

/// DL-07: a call that arrives too late takes no place, whether or not a permit is free; nor does a handle.
#[tokio::test(start_paused = true)]
async fn dl_07_arrives_too_late() {
    let (bulkhead, polled) = (bulkhead(9 * MS), Cell::new(0));
    let passed = Deadline::within(Duration::ZERO);
    for _held in [None, bulkhead.try_acquire().ok()] {
        assert_eq!(stage(passed.scope(run(&bulkhead, &polled)).await), Some(DeadlineStage::Arrival));
        let too_late = passed.scope(async { (bulkhead.try_acquire().err(), bulkhead.acquire().await.err()) }).await;
        let rejected = Some(Rejected::DeadlineExceeded { stage: DeadlineStage::Arrival });
        assert_eq!(too_late, (rejected.clone(), rejected));
        assert_eq!((bulkhead.queued(), polled.get(), bulkhead.snapshot().rejected), (0, 0, 0));
    }
}

/// DL-07: the layer does the same.
#[tokio::test(start_paused = true)]
async fn dl_07_a_layer() {
    let bulkhead = bulkhead(9 * MS);
    let calls = Cell::new(0);
    let service = ServiceBuilder::new().layer(bulkhead.layer()).service(service_fn(|()| {
        calls.set(calls.get() + 1);
        async { Ok::<_, BoxError>(()) }
    }));
    let passed = Deadline::within(Duration::ZERO);
    assert_eq!(stage(passed.scope(service.clone().oneshot(())).await), Some(DeadlineStage::Arrival));
    let permit = bulkhead.try_acquire().unwrap();
    assert_eq!(stage(Deadline::within(MS).scope(service.clone().oneshot(())).await), Some(DeadlineStage::Queue));
    drop(permit);
    assert_eq!((calls.get(), bulkhead.in_use()), (0, 0));
    Deadline::within(MS).scope(service.oneshot(())).await.unwrap();
    assert_eq!(calls.get(), 1);
}

/// Ready only when it is told.
#[derive(Clone)]
struct NeverReady;

impl<Request> Service<Request> for NeverReady {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request) -> Self::Future {
        panic!("it was never ready")
    }
}

/// DL-07: a call that has its permit and waits for the inner service to be ready gives it up at the deadline, too.
#[tokio::test(start_paused = true)]
async fn dl_07_an_inner_service_that_is_not_ready() {
    let bulkhead = bulkhead(Duration::MAX);
    let mut service = tower::Layer::layer(&bulkhead.layer(), NeverReady);
    let permit = bulkhead.try_acquire().unwrap();
    std::future::poll_fn(|cx| Service::<()>::poll_ready(&mut service, cx)).await.unwrap();
    let mut call = spawn(Deadline::within(5 * MS).scope(service.call(())));
    assert_pending!(call.poll());
    drop(permit);
    assert_pending!(call.poll());
    assert_eq!((bulkhead.in_use(), bulkhead.queued()), (1, 0));
    advance(5 * MS).await;
    assert!(call.is_woken());
    assert_eq!(stage(assert_ready!(call.poll())), Some(DeadlineStage::Queue));
    assert_eq!(bulkhead.in_use(), 0);
}

/// A request that panics when it is dropped.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("the request was dropped");
    }
}

/// DL-07: the permit that is given up at the deadline is free even if the request panics when it is dropped then.
#[tokio::test(start_paused = true)]
async fn dl_07_a_request_that_panics_on_drop() {
    let bulkhead = bulkhead(Duration::MAX);
    let mut service = tower::Layer::layer(&bulkhead.layer(), NeverReady);
    let permit = bulkhead.try_acquire().unwrap();
    std::future::poll_fn(|cx| Service::<PanicsOnDrop>::poll_ready(&mut service, cx)).await.unwrap();
    let mut call = spawn(Deadline::within(5 * MS).scope(service.call(PanicsOnDrop)));
    assert_pending!(call.poll());
    drop(permit);
    assert_pending!(call.poll());
    assert_eq!(bulkhead.in_use(), 1);
    advance(5 * MS).await;
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.poll())).unwrap_err();
    assert_eq!((bulkhead.in_use(), bulkhead.queued()), (0, 0));
}

/// DL-07, X-02: a call whose clone of the inner service is ready at once needs no timer, and so no runtime.
#[test]
fn dl_07_no_timer_without_a_wait() {
    let bulkhead = bulkhead(Duration::ZERO);
    let ready = service_fn(|()| std::future::ready(Ok::<_, BoxError>(())));
    let mut service = ServiceBuilder::new().layer(bulkhead.layer()).service(ready);
    let permit = bulkhead.try_acquire().unwrap();
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(cx).is_ready(), "the inner service is not asked, as the bulkhead is full");
    drop(permit);
    let call = std::pin::pin!(Deadline::within(Duration::from_secs(9)).scope(service.call(())));
    assert!(matches!(call.poll(cx), Poll::Ready(Ok(()))));
}
