use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use tower_service::Service;

use super::answer::{Answer, Keep};
use super::fallback_if::{FallbackIf, Rejections};
use super::future::ResponseFuture;
use super::handle::Fallback;

/// Answers calls that failed in another way. Made by [`Fallback`].
///
/// `poll_ready` is the inner service's, and so is its error: no request is there yet that could be answered.
///
/// Errors are asked for their `Debug` and `Display`, which go to the observer.
///
/// # Clone
/// A clone is not ready because the original is; else as the layer's.
#[derive(Clone, Debug)]
pub struct FallbackService<S, A, W = Rejections> {
    inner: S,
    fallback: Fallback<A, W>,
}

impl<S, A, W> FallbackService<S, A, W> {
    pub(super) fn new(inner: S, fallback: Fallback<A, W>) -> FallbackService<S, A, W> {
        FallbackService { inner, fallback }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is called on it directly has no fallback.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, A, W, Request> Service<Request> for FallbackService<S, A, W>
where
    S: Service<<A as Keep<Request>>::Sent>,
    S::Error: Debug + Display,
    A: Keep<Request> + Answer<Request, S::Response, S::Error> + Clone,
    W: FallbackIf<S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, A, W, Request, S::Response, S::Error>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let (sent, kept) = self.fallback.answer().keep(request);
        let spare = kept.map(|kept| self.fallback.spare(kept));
        ResponseFuture::new(self.inner.call(sent), spare)
    }
}
