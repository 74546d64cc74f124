use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::key_body::KeyBody;
use crate::caught::polled_again;

type Boxed<B, E> = Pin<Box<dyn Future<Output = Result<Response<KeyBody<B>>, E>> + Send>>;

pin_project! {
    /// The future of an [`IdempotencyKeyService`](super::IdempotencyKeyService). That of a request with a key is boxed.
    ///
    /// # Cancellation
    /// Dropped, a request that has passed untouched is dropped. One with a key is forgotten while its body is still
    /// being read; after that its handler runs to its end, unless
    /// [`stop_with_client`](super::IdempotencyKeyBuilder::stop_with_client) was set.
    ///
    /// # Panics
    /// With the panic of a handler; and outside a tokio runtime, if the request has a key.
    pub struct IdempotencyKeyFuture<F, B, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B, E> {
        Passed { #[pin] future: F },
        Boxed { future: Boxed<B, E> },
        Now { result: Option<Result<Response<KeyBody<B>>, E>> },
    }
}

impl<F, B, E> IdempotencyKeyFuture<F, B, E> {
    pub(super) fn passed(future: F) -> Self {
        IdempotencyKeyFuture { state: State::Passed { future } }
    }

    pub(super) fn boxed(future: impl Future<Output = Result<Response<KeyBody<B>>, E>> + Send + 'static) -> Self {
        IdempotencyKeyFuture { state: State::Boxed { future: Box::pin(future) } }
    }

    pub(super) fn answered(response: Response<KeyBody<B>>) -> Self {
        IdempotencyKeyFuture { state: State::Now { result: Some(Ok(response)) } }
    }

    pub(super) fn failed(error: E) -> Self {
        IdempotencyKeyFuture { state: State::Now { result: Some(Err(error)) } }
    }
}

impl<F, B, E> Future for IdempotencyKeyFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<KeyBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passed { future } => {
                Poll::Ready(ready!(future.poll(cx)).map(|response| response.map(KeyBody::passed)))
            }
            StateProj::Boxed { future } => future.as_mut().poll(cx),
            StateProj::Now { result } => match result.take() {
                Some(result) => Poll::Ready(result),
                None => polled_again("`IdempotencyKeyFuture`"),
            },
        }
    }
}

impl<F, B, E> fmt::Debug for IdempotencyKeyFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKeyFuture").finish_non_exhaustive()
    }
}
