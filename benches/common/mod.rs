//! What the benchmarks share: the inner service, the hand-written floors, and a table of ratios.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

pub(crate) mod floor;
pub(crate) mod ratio;

use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use seaworthy::Error;
use tower::Service;

/// The error type of the stacks under measurement; nothing is boxed.
pub(crate) type StackError = Error<&'static str>;

/// Always ready, and echoes the request at once.
#[derive(Clone, Copy)]
pub(crate) struct Inner;

impl Service<u64> for Inner {
    type Response = u64;
    type Error = StackError;
    type Future = Ready<Result<u64, StackError>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StackError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(request))
    }
}

/// One call, driven by hand without a runtime: made ready, called, polled to its end.
#[inline]
pub(crate) fn call<S>(service: &mut S, request: u64) -> Result<u64, StackError>
where
    S: Service<u64, Response = u64, Error = StackError>,
{
    let mut cx = Context::from_waker(Waker::noop());
    match service.poll_ready(&mut cx) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(error)) => return Err(error),
        Poll::Pending => unreachable!("the inner service is always ready"),
    }
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("the inner service answers at once"),
    }
}
