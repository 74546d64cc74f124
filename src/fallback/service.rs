use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use tower_service::Service;

use super::answer::{Answer, Keep};
use super::fallback_if::{FallbackIf, Rejections};
use super::future::ResponseFuture;
use super::handle::Fallback;

/// Gives another answer to calls that failed. Made by [`Fallback`].
///
/// `poll_ready` is the inner service's, and so is its error: there is no request yet to answer.
///
/// Errors must be `Debug` and `Display`, because the observer gets them.
///
/// # Clone
/// A clone is not ready just because the original is; otherwise as the layer's.
#[derive(Clone, Debug)]
pub struct FallbackService<S, A, W = Rejections> {
    inner: S,
    fallback: Fallback<A, W>,
}

impl<S, A, W> FallbackService<S, A, W> {
    pub(super) fn new(inner: S, fallback: Fallback<A, W>) -> FallbackService<S, A, W> {
        FallbackService { inner, fallback }
    }

    accessors!(self.inner, "Calls made on it directly have no fallback.");
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
