//! The size of the futures that a caller has to hold, beside those of the layers put together by hand.

use seaworthy::bulkhead::BulkheadService;
use seaworthy::circuit_breaker::CircuitBreakerService;
use seaworthy::policy::{Class, PolicyService, WithoutRetry};
use seaworthy::retry::RetryService;
use seaworthy::timeout::TimeoutService;
use seaworthy::{Error, ErrorClassifier};
use tower::Service;

type Outcome = Result<(), Error<std::fmt::Error>>;

#[derive(Clone)]
struct Inner<const N: usize>;

/// The inner future is `N` words larger than the response.
struct InnerFuture<const N: usize>(#[allow(dead_code, reason = "its size is what matters")] [usize; N]);

impl<const N: usize> Future for InnerFuture<N> {
    type Output = Outcome;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Outcome> {
        std::task::Poll::Pending
    }
}

impl<const N: usize> Service<u64> for Inner<N> {
    type Response = ();
    type Error = Error<std::fmt::Error>;
    type Future = InnerFuture<N>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Outcome> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> InnerFuture<N> {
        InnerFuture([0; N])
    }
}

const fn future<S: Service<u64>>() -> usize {
    size_of::<S::Future>()
}

type Guarded<S> = CircuitBreakerService<BulkheadService<TimeoutService<S>>>;
type Single<S> = PolicyService<S, ErrorClassifier, Class, WithoutRetry>;

/// The whole future is smaller than that of the layers, with and without retries, whatever the inner one is.
#[test]
fn the_future() {
    fn check<const N: usize>() {
        let (single, guarded) = (future::<Single<Inner<N>>>(), future::<Guarded<Inner<N>>>());
        let (policy, stack) = (future::<PolicyService<Inner<N>>>(), future::<RetryService<Guarded<Inner<N>>>>());
        println!("{N} words: {single} for {guarded}, with retries {policy} for {stack}");
        assert!(single < guarded, "{single} for {guarded}");
        assert!(policy < stack, "{policy} for {stack}");
        let (service, services) = (size_of::<PolicyService<Inner<N>>>(), size_of::<RetryService<Guarded<Inner<N>>>>());
        assert!(service <= services, "{service} for {services}");
    }
    check::<0>();
    check::<3>();
    check::<16>();
    check::<256>();
}

/// the futures of layers have the sizes that they had before there were deadlines.
#[test]
fn x_04_layers() {
    type Breaker = CircuitBreakerService<Inner<1>>;
    let sizes = [future::<Breaker>(), future::<BulkheadService<Inner<1>>>(), future::<TimeoutService<Inner<1>>>()];
    assert_eq!((sizes, future::<Guarded<Inner<1>>>()), ([48, 40, 32], 96));
}

/// TR-02: with every part, the future of a policy stays within 240 bytes around one of 8; deadlines, bodies and gRPC
/// have added nothing to it.
#[test]
fn tr_02_every_part() {
    let (single, retrying) = (future::<Single<Inner<1>>>(), future::<PolicyService<Inner<1>>>());
    assert_eq!((single, retrying), (80, 136));
    assert!(retrying <= 240);
}
