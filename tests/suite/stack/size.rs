//! The size of the futures that a caller has to hold.

use std::task::{Context, Poll};

use seaworthy::Error;
use seaworthy::bulkhead::BulkheadService;
use seaworthy::circuit_breaker::CircuitBreakerService;
use seaworthy::retry::RetryService;
use seaworthy::timeout::TimeoutService;
use tower::Service;

type Outcome = Result<(), Error<std::fmt::Error>>;

/// Its future has 24 bytes.
#[derive(Clone)]
struct Inner;

struct InnerFuture {
    _state: [usize; 3],
}

impl Future for InnerFuture {
    type Output = Outcome;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Outcome> {
        Poll::Pending
    }
}

impl Service<u64> for Inner {
    type Response = ();
    type Error = Error<std::fmt::Error>;
    type Future = InnerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error<std::fmt::Error>>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> InnerFuture {
        InnerFuture { _state: [0; 3] }
    }
}

/// The future of a service.
const fn future<S: Service<u64>>() -> usize {
    size_of::<S::Future>()
}

type Timed = TimeoutService<Inner>;
type Slotted = BulkheadService<Timed>;
type Guarded = CircuitBreakerService<Slotted>;

/// RT-16: A layer adds to the futures of all layers around it, and a retry also keeps a copy of the services below it.
#[test]
#[cfg(target_pointer_width = "64")]
fn the_future_of_the_whole_stack() {
    assert_eq!(future::<Inner>(), 24);
    let futures = [future::<Timed>(), future::<Slotted>(), future::<Guarded>()];
    let services = [size_of::<Timed>(), size_of::<Slotted>(), size_of::<Guarded>()];
    println!("futures: {futures:?}; services: {services:?}");
    let [_, _, circuit_breaker] = futures;
    // Without a retry it is small.
    assert!(circuit_breaker <= 112, "{futures:?}");
    let whole = future::<RetryService<Guarded>>();
    let request = size_of::<Option<u64>>();
    // The policy, leaked or not, the number of attempts and the time of the first: three words.
    assert!(whole <= circuit_breaker + size_of::<Guarded>() + request + 24, "{whole}: {futures:?}, {services:?}");
    assert!(whole <= 224, "{whole}: {futures:?}, {services:?}");
}
