//! Polls services and futures by hand, so that the numbers include no runtime.

use std::any::Any;
use std::future::Future;
use std::hint::spin_loop;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tower_service::Service;

use crate::Ask;

/// Runs a future to its end.
#[inline]
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            // Only for a breaker that waits for its own lock: polling again at once is the quickest wake-up there is.
            Poll::Pending => spin_loop(),
        }
    }
}

/// One call of a tower service, readiness first.
#[inline]
pub(crate) fn call<S>(service: &mut S, ask: Ask) -> Result<(), S::Error>
where
    S: Service<Ask, Response = ()>,
{
    ready(service)?;
    finish(service.call(ask))
}

/// Starts a call that never ends; it holds what it took while the returned value lives.
pub(crate) fn hang<S>(service: &mut S) -> Box<dyn Any>
where
    S: Service<Ask, Response = ()>,
    S::Future: 'static,
{
    assert!(ready(service).is_ok(), "a probe must find the service ready");
    begin(service.call(Ask::Hang))
}

/// Polls a future once, which must not finish it, and keeps it.
pub(crate) fn begin<F: Future + 'static>(future: F) -> Box<dyn Any> {
    let mut future = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending(), "the probe must be admitted, and hang");
    Box::new(future)
}

#[inline]
fn ready<S>(service: &mut S) -> Result<(), S::Error>
where
    S: Service<Ask>,
{
    let mut cx = Context::from_waker(Waker::noop());
    match service.poll_ready(&mut cx) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("the inner service is always ready, and no breaker here waits"),
    }
}
