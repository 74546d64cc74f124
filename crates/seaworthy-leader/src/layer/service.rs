use std::task::{Context, Poll, ready};

use seaworthy::{Name, Rejected, RetryAfter, StackError};
use tower_service::Service;

use super::answer::{AnswerFollower, Reject};
use super::future::ResponseFuture;
use super::give_epoch::{GiveEpoch, Wrapped};
use super::handle::OnLoss;
use crate::guard::LeaderWatch;

/// Lets requests in while this process leads. Made by [`LeaderLayer`](crate::LeaderLayer).
///
/// While it leads, `poll_ready` is the inner service's. While it does not, from when the work of its term was told to
/// end, `poll_ready` is ready without asking the inner service. The decision is made in `call`: whatever `poll_ready`
/// saw, a request is let in if this process leads then.
///
/// A request that is let in although the inner service was not made ready for it is sent to a clone of the inner
/// service, which is made ready first. That allocates; nothing else does.
///
/// # Clone
/// Costs a clone of the inner service, and a reference count. A clone is not ready just because the original is.
#[derive(Debug)]
pub struct LeaderService<S, G = Wrapped, A = Reject> {
    inner: S,
    /// Whether the inner service was made ready, and not called since.
    is_ready: bool,
    watch: LeaderWatch,
    on_loss: OnLoss,
    give: G,
    answer: A,
}

impl<S, G, A> LeaderService<S, G, A> {
    pub(super) fn new(inner: S, watch: LeaderWatch, on_loss: OnLoss, give: G, answer: A) -> LeaderService<S, G, A> {
        LeaderService { inner, is_ready: false, watch, on_loss, give, answer }
    }

    /// What it goes by.
    pub fn watch(&self) -> &LeaderWatch {
        &self.watch
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. Calls made on it directly are let in whoever leads.
    pub fn get_mut(&mut self) -> &mut S {
        self.is_ready = false;
        &mut self.inner
    }

    /// Unwraps the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, G: Clone, A: Clone> Clone for LeaderService<S, G, A> {
    fn clone(&self) -> LeaderService<S, G, A> {
        let (watch, give, answer) = (self.watch.clone(), self.give.clone(), self.answer.clone());
        LeaderService::new(self.inner.clone(), watch, self.on_loss, give, answer)
    }
}

/// As every layer says it.
pub(super) fn not_leader() -> Rejected {
    Rejected::NotReady { reason: Name::from("not leader"), retry_after: RetryAfter::UNKNOWN }
}

impl<S, G, A, R> Service<R> for LeaderService<S, G, A>
where
    S: Service<G::Request> + Clone,
    S::Error: StackError,
    G: GiveEpoch<R>,
    A: AnswerFollower<R, S::Response>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, G::Request>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        // Whether it leads still is for `call` to decide, so that the clock is read once a request.
        if self.watch.has_term() {
            let readied = ready!(self.inner.poll_ready(cx));
            self.is_ready = readied.is_ok();
            return Poll::Ready(readied);
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        let standing = match self.on_loss {
            OnLoss::Finish => self.watch.epoch().map(|epoch| (epoch, None)),
            OnLoss::Cancel => self.watch.epoch_and_end().map(|(epoch, ended)| (epoch, Some(ended))),
        };
        let was_ready = std::mem::take(&mut self.is_ready);
        let Some((epoch, ended)) = standing else {
            if was_ready {
                // What the inner service holds for a call that does not come is given back.
                self.inner = self.inner.clone();
            }
            return match self.answer.answer(&request, &self.watch) {
                Some(answer) => ResponseFuture::answered(answer),
                None => ResponseFuture::rejected(not_leader()),
            };
        };
        let request = self.give.give(request, epoch);
        if was_ready {
            ResponseFuture::calling(self.inner.call(request), ended, &self.watch)
        } else {
            ResponseFuture::readying(self.inner.clone(), request, epoch, ended, &self.watch)
        }
    }
}
