use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

use super::handle::Slots;
use super::held::Slot;
use super::take::Waiter;
use crate::StackError;

/// A call on its way to the inner service: it waits for a slot, then for the service to be ready.
pub(super) struct Waiting<S, Request> {
    place: Place,
    inner: S,
    request: Option<Request>,
}

enum Place {
    Queued(Waiter<Slots>),
    Granted(Slot),
    /// It was polled to its end, or is being polled: a panic of the inner service gives the slot back at once.
    Left,
}

impl<S, Request> Waiting<S, Request> {
    pub(super) fn queued(waiter: Waiter<Slots>, inner: S, request: Request) -> Self {
        Waiting { place: Place::Queued(waiter), inner, request: Some(request) }
    }

    pub(super) fn granted(slot: Slot, inner: S, request: Request) -> Self {
        Waiting { place: Place::Granted(slot), inner, request: Some(request) }
    }

    /// Ready with the call, or with the rejection or the error that came in its way.
    pub(super) fn poll<F, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(F, Slot), E>>
    where
        S: Service<Request, Future = F, Error = E>,
        E: StackError,
    {
        let slot = match std::mem::replace(&mut self.place, Place::Left) {
            Place::Granted(slot) => slot,
            Place::Queued(mut waiter) => match Pin::new(&mut waiter).poll(cx) {
                Poll::Ready(Ok(held)) => Slot::new(held),
                Poll::Ready(Err(rejected)) => return Poll::Ready(Err(rejected.into())),
                Poll::Pending => {
                    self.place = Place::Queued(waiter);
                    return Poll::Pending;
                }
            },
            Place::Left => panic!("`ResponseFuture` was polled after it was ready"),
        };
        match self.inner.poll_ready(cx) {
            Poll::Pending => {
                self.place = Place::Granted(slot);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => match self.request.take() {
                Some(request) => Poll::Ready(Ok((self.inner.call(request), slot))),
                None => panic!("`ResponseFuture` was polled after it was ready"),
            },
        }
    }
}
