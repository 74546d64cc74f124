use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use seaworthy::{Backoff, BoxError};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceExt};

use super::quick;
use crate::support::{MS, SECOND, advance};

/// Every poll of a call and of its readiness is pending once; every call fails. It counts what is alive.
#[derive(Debug)]
struct Slow {
    alive: Arc<()>,
    calls: Arc<AtomicU32>,
    asked: bool,
}

impl Clone for Slow {
    fn clone(&self) -> Slow {
        Slow { alive: Arc::clone(&self.alive), calls: Arc::clone(&self.calls), asked: false }
    }
}

impl Service<Arc<()>> for Slow {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if std::mem::replace(&mut self.asked, true) {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Arc<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.asked = false;
        let alive = Arc::clone(&self.alive);
        let mut polled = false;
        Box::pin(std::future::poll_fn(move |cx| {
            let _held = (&alive, &request);
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(Err("no".into()));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

/// RT-12: dropped after any number of polls, a call leaves nothing behind, and nothing is called after that.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_await() {
    let mut ended = false;
    for polls in 0..40 {
        let (alive, request) = (Arc::new(()), Arc::new(()));
        let calls = Arc::<AtomicU32>::default();
        let slow = Slow { alive: Arc::clone(&alive), calls: Arc::clone(&calls), asked: true };
        let layer = quick(3).backoff(Backoff::constant(SECOND)).build().unwrap().layer();
        let mut service = layer.layer(slow);
        assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
        let mut call = task::spawn(service.call(Arc::clone(&request)));
        drop(service);
        for _ in 0..polls {
            if call.poll().is_ready() {
                ended = true;
                break;
            }
            advance(SECOND / 2).await;
        }
        let made = calls.load(Ordering::Relaxed);
        assert!((1..=3).contains(&made));
        drop(call);
        assert_eq!((Arc::strong_count(&alive), Arc::strong_count(&request)), (1, 1), "{polls}");
        advance(100 * SECOND).await;
        assert_eq!(calls.load(Ordering::Relaxed), made);
    }
    assert!(ended, "the longest run came to its end");
}

fn poll_ready<S: Service<Arc<()>>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(std::task::Waker::noop()))
}

/// RT-12: the wait is dropped with the call: no timer is left that would wake anything.
#[tokio::test(start_paused = true)]
async fn dropped_while_waiting() {
    let (service, calls) = super::Flaky::new(u32::MAX);
    let layer = quick(3).backoff(Backoff::constant(SECOND)).build().unwrap().layer();
    let mut call = task::spawn(tokio::time::timeout(10 * MS, layer.layer(service).oneshot(())));
    assert_pending!(call.poll());
    advance(10 * MS).await;
    assert!(matches!(call.poll(), Poll::Ready(Err(_elapsed))));
    drop(call);
    advance(100 * SECOND).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// A panic of the inner service goes on to the caller and is not retried; the next request is served.
#[tokio::test]
async fn panics_go_on() {
    let calls = Arc::<AtomicU32>::default();
    let counted = Arc::clone(&calls);
    let service = tower::service_fn(move |panics: bool| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            assert!(!panics, "boom");
            Ok::<_, BoxError>(())
        }
    });
    let service = quick(3).build().unwrap().layer().layer(service);
    assert!(tokio::spawn(service.clone().oneshot(true)).await.unwrap_err().is_panic());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    service.oneshot(false).await.unwrap();
}

/// A panic of `retry_if`, too.
#[tokio::test]
async fn a_decision_that_panics() {
    let policy = quick(3).build().unwrap();
    let layer = policy.layer().retry_if(|_: &Result<u32, BoxError>| -> bool { panic!("boom") });
    let (service, calls) = super::Flaky::new(u32::MAX);
    assert!(tokio::spawn(layer.layer(service).oneshot(())).await.unwrap_err().is_panic());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}
