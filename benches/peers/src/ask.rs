//! What a call is asked to do, and the cheapest inner service and function that do it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

/// The request of every tower service here: how the call should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Succeed,
    Fail,
    /// Never ends, so that a probe stays taken.
    Hang,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
    Rejected,
}

/// The inner error. It is zero-sized, so that boxing it allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked to fail")
    }
}

impl Error for Failure {}

impl Ask {
    /// The body of the function passed to a function wrapper.
    ///
    /// The black box keeps the compiler from learning that nothing ever fails; the inner service has the same one.
    #[inline]
    pub fn result(self) -> Result<(), Failure> {
        match black_box(self) {
            Self::Succeed => Ok(()),
            Self::Fail => Err(Failure),
            Self::Hang => unreachable!("a function that hangs would hang the benchmark"),
        }
    }
}

/// An inner service that is always ready and answers at once.
#[derive(Debug)]
pub struct Inner<E = Failure>(PhantomData<fn() -> E>);

impl<E> Inner<E> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for Inner<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for Inner<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<E: From<Failure>> Service<Ask> for Inner<E> {
    type Response = ();
    type Error = E;
    type Future = Answer<E>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Answer<E> {
        Answer::new(ask)
    }
}

/// As good as `std::future::Ready`, except that it can also be asked to hang.
#[derive(Debug)]
pub struct Answer<E = Failure> {
    ask: Ask,
    error: PhantomData<fn() -> E>,
}

impl<E> Answer<E> {
    #[inline]
    pub fn new(ask: Ask) -> Self {
        Self { ask, error: PhantomData }
    }
}

impl<E: From<Failure>> Future for Answer<E> {
    type Output = Result<(), E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match black_box(self.ask) {
            Ask::Succeed => Poll::Ready(Ok(())),
            Ask::Fail => Poll::Ready(Err(Failure.into())),
            Ask::Hang => Poll::Pending,
        }
    }
}
