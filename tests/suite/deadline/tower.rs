use std::future::pending;

use seaworthy::{BoxError, CircuitBreaker, Context, Deadline, DeadlineLayer, DeadlineStage, Timeout};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::util::service_fn;
use tower::{ServiceBuilder, ServiceExt};

use super::{MS, stage};

/// `Buffer` moves a call to another task, and the deadline is lost between them; taken along, it is there again.
#[tokio::test(start_paused = true)]
async fn x_06_behind_a_buffer() {
    let see = service_fn(|()| async { Ok::<_, BoxError>(Deadline::current()) });
    let buffered = ServiceBuilder::new().layer(DeadlineLayer::within(5 * MS)).buffer(1).service(see);
    // The service itself runs in the buffer's task, its future in the caller's.
    let in_call = service_fn(|()| {
        let seen = Deadline::current();
        async move { Ok::<_, BoxError>(seen) }
    });
    let lost = ServiceBuilder::new().layer(DeadlineLayer::within(5 * MS)).buffer(1).service(in_call);
    assert_eq!(buffered.oneshot(()).await.unwrap(), Some(Deadline::within(5 * MS)));
    assert_eq!(lost.oneshot(()).await.unwrap(), None);

    let carried = ServiceBuilder::new()
        .layer(DeadlineLayer::within(5 * MS))
        .map_request(|()| Context::current())
        .buffer(1)
        .layer(DeadlineLayer::for_request(Context::deadline))
        .map_request(|_: Context| ())
        .service(in_call);
    assert_eq!(carried.oneshot(()).await.unwrap(), Some(Deadline::within(5 * MS)));
}

/// under tower's load shedder and around it, the rejection is ours, and nothing is made of `poll_ready`.
#[tokio::test(start_paused = true)]
async fn x_02_with_a_load_shedder() {
    let hangs = || service_fn(|()| pending::<Result<(), BoxError>>());
    let deadline = DeadlineLayer::within(5 * MS);
    let timeout = Timeout::new(Duration::MAX).layer();
    let above = ServiceBuilder::new().load_shed().layer(&deadline).layer(&timeout).service(hangs());
    let below = ServiceBuilder::new().layer(&deadline).load_shed().layer(&timeout).service(hangs());
    assert_eq!(stage(above.oneshot(()).await), Some(DeadlineStage::Attempt));
    assert_eq!(stage(below.oneshot(()).await), Some(DeadlineStage::Attempt));
}

/// dropped while it waits, at each of its awaits, nothing is left behind.
#[tokio::test(start_paused = true)]
async fn x_02_dropped_at_each_await() {
    let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::within(5 * MS))
        .layer(circuit_breaker.layer())
        .layer(Timeout::new(9 * MS).layer())
        .service(service_fn(|()| async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok::<_, BoxError>(())
        }));
    for polls in 0..4 {
        let mut call = spawn(service.clone().oneshot(()));
        for _ in 0..polls {
            assert_pending!(call.poll());
        }
        drop(call);
        assert_eq!(Deadline::current(), None);
        advance(9 * MS).await;
    }
    let mut call = spawn(service.clone().oneshot(()));
    for _ in 0..3 {
        assert_pending!(call.poll());
    }
    assert_ready!(call.poll()).unwrap();
}
