//! The fallback among the other layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, Error, Fallback, RetryPolicy, State, TimeoutLayer, Verdict,
    WrapErrorLayer,
};
use tower::buffer::Buffer;
use tower::load_shed::LoadShed;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::Told;
use crate::support::settle;

/// FB-12: outside a whole stack it answers what any of the layers rejects, and no layer notices.
#[tokio::test(start_paused = true)]
async fn fb_12_around_the_stack() {
    let told = Told::default();
    let circuit_breaker = CircuitBreaker::builder("circuit").consecutive_failures(2).build().unwrap();
    let bulkhead = Bulkhead::builder("slots").limit(1).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(told.by(Fallback::value("spare", "spare")).build().unwrap().layer())
        .layer(circuit_breaker.layer())
        .layer(bulkhead.layer())
        .layer(TimeoutLayer::new(Duration::from_millis(20)))
        .layer(WrapErrorLayer::new())
        .service(service_fn(async |request: &'static str| match request {
            "hang" => std::future::pending().await,
            "fail" => Err("broken"),
            _ => Ok(request),
        }));
    assert_eq!(service.clone().oneshot("fresh").await, Ok("fresh"));
    let permit = bulkhead.try_acquire().unwrap();
    assert_eq!(service.clone().oneshot("fresh").await, Ok("spare"));
    drop(permit);
    assert_eq!(service.clone().oneshot("fail").await, Err(Error::Inner("broken")));
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 1);
    // The circuit breaker sees what the caller does not: the second failure in a row opens it.
    assert_eq!(service.clone().oneshot("hang").await, Ok("spare"));
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(service.oneshot("fresh").await, Ok("spare"));
    let told = told.take().into_iter().map(|line| line.split_once(',').unwrap().0.to_string());
    assert!(told.eq(["spare: call rejected"; 3].map(str::to_owned)));
    assert_eq!(bulkhead.available(), 1);
}

/// FB-12: above a retry it comes after the last attempt; below one, it ends the retrying.
#[tokio::test(start_paused = true)]
async fn fb_12_above_and_below_a_retry() {
    let calls = Arc::<AtomicU32>::default();
    let counter = Arc::clone(&calls);
    let backend = service_fn(move |()| {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err::<&'static str, BoxError>("broken".into()))
    });
    let retry = RetryPolicy::builder("retry").attempts(3).backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let fallback = Fallback::value("spare", "spare").when(|_: &BoxError| true).build().unwrap();
    let above = ServiceBuilder::new().layer(fallback.layer()).layer(retry.layer()).service(backend.clone());
    assert_eq!(above.oneshot(()).await.unwrap(), "spare");
    assert_eq!(calls.swap(0, Ordering::Relaxed), 3);
    let below = ServiceBuilder::new().layer(retry.layer()).layer(fallback.layer()).service(backend);
    assert_eq!(below.oneshot(()).await.unwrap(), "spare");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// FB-12: another service can be guarded by itself, and its rejection is then the caller's.
#[tokio::test]
async fn fb_12_a_guarded_fallback() {
    let [first, second] = ["first", "second"].map(|name| CircuitBreaker::builder(name).build().unwrap());
    let other = second.layer().layer(service_fn(async |request: u32| Ok::<_, BoxError>(request + 1)));
    let service = ServiceBuilder::new()
        .layer(Fallback::service("spare", other).build().unwrap().layer())
        .layer(first.layer())
        .service(service_fn(async |request: u32| Ok::<_, BoxError>(request)));
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 7);
    first.force_open();
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 8);
    second.force_open();
    assert!(service.clone().oneshot(7).await.unwrap_err().to_string().contains("second"));
    assert_eq!((first.snapshot().rejected, second.snapshot().rejected), (2, 1));
}

/// FB-06, FB-12: a buffer around it survives; a load shedder below is asked as if there were no fallback.
#[tokio::test(start_paused = true)]
async fn fb_12_among_towers_layers() {
    let circuit_breaker = CircuitBreaker::builder("circuit").consecutive_failures(1).build().unwrap();
    let layer = Fallback::value("spare", 0).when(|_: &BoxError| true).build().unwrap();
    let inner =
        circuit_breaker.layer().layer(LoadShed::new(service_fn(async |request: u32| Ok::<_, BoxError>(request))));
    let mut buffer = Buffer::new(layer.layer().layer(inner), 4);
    assert_eq!(buffer.ready().await.unwrap().call(7).await.unwrap(), 7);
    settle(&circuit_breaker, &[Verdict::Failure]);
    for _ in 0..10 {
        assert_eq!(buffer.ready().await.unwrap().call(7).await.unwrap(), 0);
    }
    circuit_breaker.reset();
    assert_eq!(buffer.ready().await.unwrap().call(7).await.unwrap(), 7);
}
