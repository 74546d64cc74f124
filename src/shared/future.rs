use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::sync::{AcquireError, OwnedSemaphorePermit};
use tower_service::Service;

use super::service::One;
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`SharedService`](super::SharedService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, or leaves the queue; if it was its turn, the next call gets it.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request>
    where
        S: Service<Request>,
    {
        #[pin]
        state: SharedStage<S, Request, S::Future>,
    }
}

pin_project! {
    #[project = SharedStageProj]
    enum SharedStage<S, Request, F> {
        Before { turn: Turn, one: Arc<One<S>>, request: Option<Request> },
        Calling { #[pin] call: F },
    }
}

type Acquire = dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + Sync;

enum Turn {
    Ahead,
    /// Boxed, because a call that waits can afford it, and one that does not should not carry it around.
    Queued(Pin<Box<Acquire>>),
    /// Dropped to give the next call its turn.
    Ours {
        _permit: OwnedSemaphorePermit,
    },
}

impl<S, Request> ResponseFuture<S, Request>
where
    S: Service<Request>,
{
    pub(super) fn new(one: Arc<One<S>>, request: Request) -> Self {
        ResponseFuture { state: SharedStage::Before { turn: Turn::Ahead, one, request: Some(request) } }
    }
}

impl Turn {
    /// Ready when it is this call's turn.
    fn poll<S>(&mut self, one: &One<S>, cx: &mut Context<'_>) -> Poll<()> {
        if let Turn::Ahead = self {
            *self = match Arc::clone(&one.turns).try_acquire_owned() {
                Ok(permit) => Turn::Ours { _permit: permit },
                Err(_) => Turn::Queued(Box::pin(Arc::clone(&one.turns).acquire_owned())),
            };
        }
        if let Turn::Queued(acquire) = self {
            match ready!(acquire.as_mut().poll(cx)) {
                Ok(permit) => *self = Turn::Ours { _permit: permit },
                // The semaphore is never closed.
                Err(_) => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

/// Holds the service during a turn. It is put back even on a panic.
struct TurnTaken<'a, S> {
    one: &'a One<S>,
    inner: Option<S>,
}

impl<'a, S> TurnTaken<'a, S> {
    fn new(one: &'a One<S>) -> TurnTaken<'a, S> {
        let inner = one.inner.lock().take();
        TurnTaken { one, inner }
    }
}

impl<S> Drop for TurnTaken<'_, S> {
    fn drop(&mut self) {
        let inner = self.inner.take();
        *self.one.inner.lock() = inner;
    }
}

impl<S, Request> Future for ResponseFuture<S, Request>
where
    S: Service<Request>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                SharedStageProj::Calling { call } => return call.poll(cx),
                SharedStageProj::Before { turn, one, request } => {
                    if request.is_none() {
                        polled_again("`ResponseFuture`");
                    }
                    ready!(turn.poll(one, cx));
                    // Whatever happens in the service, even a panic, the next call gets its turn.
                    let ours = std::mem::replace(turn, Turn::Ahead);
                    let mut taken = TurnTaken::new(one);
                    let (Some(inner), Some(asked)) = (taken.inner.as_mut(), request.take()) else {
                        polled_again("`ResponseFuture`");
                    };
                    match inner.poll_ready(cx) {
                        Poll::Pending => {
                            drop(taken);
                            (*turn, *request) = (ours, Some(asked));
                            return Poll::Pending;
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Ready(Ok(())) => {
                            let call = inner.call(asked);
                            drop(taken);
                            drop(ours);
                            state.set(SharedStage::Calling { call });
                        }
                    }
                }
            }
        }
    }
}

impl<S, Request> fmt::Debug for ResponseFuture<S, Request>
where
    S: Service<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            SharedStage::Before { turn: Turn::Ours { .. }, .. } => "waits for the service",
            SharedStage::Before { .. } => "waits for its turn",
            SharedStage::Calling { .. } => "calling",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
