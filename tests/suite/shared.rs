use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use seaworthy::shared::{ResponseFuture, SharedService};
use seaworthy::{BoxError, Bulkhead, Health, Phase, Policy, RetryPolicy, SharedLayer};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok};
use tower::util::BoxService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use crate::support::MS;

assert_impl_all!(SharedLayer: Clone, Send, Sync);
assert_impl_all!(SharedService<BoxService<u8, u8, BoxError>>: Clone, Send, Sync, Unpin);
assert_impl_all!(ResponseFuture<BoxService<u8, u8, BoxError>, u8>: Send);
assert_not_impl_any!(SharedService<*const ()>: Send, Sync);

/// A service that is not `Clone`.
fn boxed() -> BoxService<u8, u8, BoxError> {
    BoxService::new(service_fn(async |n: u8| if n == 0 { Err("no".into()) } else { Ok(n + 1) }))
}

/// HC-19: a service that is not `Clone` works under a bulkhead that rejects or waits, under readiness, a policy with
/// and without retries, and a retry.
#[tokio::test(start_paused = true)]
async fn under_the_layers_that_need_clones() {
    let bulkhead = Bulkhead::builder("shared").limit(1).max_wait(MS).build().unwrap();
    let health = Health::new();
    health.advance(Phase::Serving);
    let retry = RetryPolicy::builder("shared").attempts(3).no_budget().build().unwrap();
    let policy =
        Policy::builder("shared").bulkhead(|bulkhead| bulkhead.limit(1)).shared_retry(retry.clone()).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(policy.layer())
        .layer(policy.layer().without_retry())
        .layer(health.readiness_layer())
        .layer(retry.layer())
        .layer(bulkhead.layer())
        .layer(SharedLayer::new())
        .service(boxed());
    assert!(service.clone().oneshot(1).await.is_err(), "two layers of one policy share one permit");

    let service = ServiceBuilder::new()
        .layer(policy.layer().without_retry())
        .layer(health.readiness_layer())
        .layer(retry.layer())
        .layer(bulkhead.layer())
        .layer(SharedLayer::new())
        .service(boxed());
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 2);
    assert_eq!(service.clone().oneshot(0).await.unwrap_err().to_string(), "no");
    let held = bulkhead.try_acquire().unwrap();
    let mut waits = spawn(service.oneshot(7));
    assert_pending!(waits.poll());
    drop(held);
    assert_eq!(assert_ready_ok!(waits.poll()), 8);
}

/// HC-19: also a `Box<dyn Service>`, for which tower implements `Service`.
#[tokio::test]
async fn a_box_of_any_service() {
    type Answer = std::future::Ready<Result<u8, BoxError>>;
    let inner: Box<dyn Service<u8, Response = u8, Error = BoxError, Future = Answer>> =
        Box::new(service_fn(|n: u8| std::future::ready(Ok(n))));
    let bulkhead = Bulkhead::builder("shared").build().unwrap();
    let service = bulkhead.layer().layer(SharedLayer::new().layer(inner));
    assert_eq!(service.oneshot(7).await.unwrap(), 7);
}

/// HC-19: it is always ready; calls are passed on in turn, first come, first served, each once the service is ready,
/// and their responses are awaited concurrently.
#[tokio::test]
async fn in_turn() {
    let (inner, mut handle) = mock::pair::<u8, u8>();
    handle.allow(0);
    let mut service = SharedLayer::new().layer(inner);
    let mut other = service.clone();
    assert_ready_ok!(spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    let [mut first, mut second, mut third] =
        [spawn(service.call(1)), spawn(other.call(2)), spawn(service.clone().call(3))];
    for call in [&mut first, &mut second, &mut third] {
        assert_pending!(call.poll());
    }
    // Ready for one: it is the first one's turn, then the second's; the third is gone.
    handle.allow(1);
    assert!(first.is_woken() && !second.is_woken());
    assert_pending!(first.poll());
    assert!(second.is_woken() && !third.is_woken());
    assert_pending!(second.poll());
    drop(third);
    handle.allow(1);
    assert!(second.is_woken());
    assert_pending!(second.poll());
    let (one, answer_one) = handle.next_request().await.unwrap();
    let (two, answer_two) = handle.next_request().await.unwrap();
    assert_eq!((one, two), (1, 2));
    answer_two.send_response(20);
    assert_eq!(assert_ready_ok!(second.poll()), 20);
    answer_one.send_response(10);
    assert_eq!(assert_ready_ok!(first.poll()), 10);
}

/// HC-19: a call dropped while it waits for its turn, or for the service, holds up no other.
#[tokio::test]
async fn dropped_while_it_waits() {
    let (inner, mut handle) = mock::pair::<u8, u8>();
    handle.allow(0);
    let service = SharedLayer::new().layer(inner);
    let calls: Vec<_> = (0..4).map(|n| spawn(service.clone().call(n))).collect();
    let mut calls = calls.into_iter();
    let [mut first, mut second, mut third, mut fourth] = [(); 4].map(|()| calls.next().unwrap());
    for call in [&mut first, &mut second, &mut third, &mut fourth] {
        assert_pending!(call.poll());
    }
    drop(second);
    drop(first);
    assert!(third.is_woken());
    assert_pending!(third.poll());
    drop(third);
    assert!(fourth.is_woken());
    handle.allow(1);
    assert_pending!(fourth.poll());
    let (request, answer) = handle.next_request().await.unwrap();
    assert_eq!(request, 3);
    answer.send_response(7);
    assert_eq!(assert_ready_ok!(fourth.poll()), 7);
}

/// HC-19: an error of the service's `poll_ready` is the call's; so is a panic, and the next one gets its turn.
#[test]
fn errors_and_panics() {
    struct Moody(Arc<AtomicU32>);
    impl Service<u8> for Moody {
        type Response = u8;
        type Error = BoxError;
        type Future = std::future::Ready<Result<u8, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            match self.0.load(Ordering::Relaxed) {
                1 => Poll::Ready(Err("not today".into())),
                2 => panic!("in poll_ready"),
                _ => Poll::Ready(Ok(())),
            }
        }

        fn call(&mut self, n: u8) -> Self::Future {
            assert_ne!(self.0.load(Ordering::Relaxed), 3, "in call");
            std::future::ready(Ok(n))
        }
    }
    let mood = Arc::<AtomicU32>::default();
    let mut service = SharedService::new(Moody(Arc::clone(&mood)));
    for state in [0, 1, 2, 3] {
        mood.store(state, Ordering::Relaxed);
        let mut call = spawn(service.call(7));
        match state {
            0 => assert_eq!(assert_ready_ok!(call.poll()), 7),
            1 => assert_eq!(assert_ready_err!(call.poll()).to_string(), "not today"),
            _ => assert!(catch_unwind(AssertUnwindSafe(|| call.poll())).is_err()),
        }
        mood.store(0, Ordering::Relaxed);
        // While the one that failed still exists.
        assert_eq!(assert_ready!(spawn(service.call(9)).poll()).unwrap(), 9);
    }
}

/// HC-19: many threads, one service: each call is made once.
#[test]
fn threads() {
    struct Counter(u32);
    impl Service<u32> for Counter {
        type Response = u32;
        type Error = BoxError;
        type Future = std::future::Ready<Result<u32, BoxError>>;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.0 += 1;
            if self.0 % 2 == 1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, n: u32) -> Self::Future {
            std::future::ready(Ok(n))
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let service = SharedService::new(Counter(0));
    let calls: Vec<_> = (0..1_000)
        .map(|n| {
            let service = service.clone();
            runtime.spawn(async move { service.oneshot(n).await })
        })
        .collect();
    runtime.block_on(async {
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), n);
        }
    });
}
