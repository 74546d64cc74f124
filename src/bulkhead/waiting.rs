use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

use super::acquire::Waiter;
use super::handle::Bulkhead;
use super::held::Permit;
use crate::error::StackError;
use crate::rt::panic::polled_again;

/// A call on its way to the inner service: it waits for a permit, then for the service to be ready.
pub(super) struct QueuedCall<S, Request> {
    place: QueuedState,
    inner: S,
    request: Option<Request>,
}

enum QueuedState {
    Queued(Waiter<Bulkhead>),
    Granted(Permit),
    /// It has been polled to completion, or is being polled: a panic of the inner service releases the permit at once.
    Left,
}

impl<S, Request> QueuedCall<S, Request> {
    pub(super) fn queued(waiter: Waiter<Bulkhead>, inner: S, request: Request) -> Self {
        QueuedCall { place: QueuedState::Queued(waiter), inner, request: Some(request) }
    }

    pub(super) fn granted(permit: Permit, inner: S, request: Request) -> Self {
        QueuedCall { place: QueuedState::Granted(permit), inner, request: Some(request) }
    }

    /// Ready with the call, or with the rejection or error that prevented it.
    pub(super) fn poll<F, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(F, Permit), E>>
    where
        S: Service<Request, Future = F, Error = E>,
        E: StackError,
    {
        let permit = match std::mem::replace(&mut self.place, QueuedState::Left) {
            QueuedState::Granted(permit) => permit,
            QueuedState::Queued(mut waiter) => match Pin::new(&mut waiter).poll(cx) {
                Poll::Ready(Ok(held)) => Permit::new(held),
                Poll::Ready(Err(rejected)) => return Poll::Ready(Err(rejected.into())),
                Poll::Pending => {
                    self.place = QueuedState::Queued(waiter);
                    return Poll::Pending;
                }
            },
            QueuedState::Left => polled_again("`ResponseFuture`"),
        };
        match self.inner.poll_ready(cx) {
            Poll::Pending => {
                self.place = QueuedState::Granted(permit);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => match self.request.take() {
                Some(request) => Poll::Ready(Ok((self.inner.call(request), permit))),
                None => polled_again("`ResponseFuture`"),
            },
        }
    }
}
