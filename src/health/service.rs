use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::exempt::{Exempt, NoneExempt};
use super::future::ResponseFuture;
use super::handle::Health;
use super::in_flight::InFlight;
use crate::error::StackError;
use crate::machine::lifecycle::phase::Phase;
use crate::shared::CloneOrSharedLayer;

/// Lets requests in while its [`Health`] is ready, and rejects the others without touching the inner service. Requests
/// in flight are left alone. Made by [`ReadinessLayer`](super::ReadinessLayer).
///
/// While the service is ready, `poll_ready` is the inner service's. While it is not, `poll_ready` is ready without
/// asking the inner service. The decision is made in `call`: whatever `poll_ready` saw, a request is let in if the
/// service is ready by then.
///
/// A request that is let in or exempt although the inner service was not made ready for it is sent to a clone of the
/// inner service, which is made ready first. That allocates; nothing else does.
///
/// # Clone
/// A clone shares the health; it is not ready just because the original is.
#[derive(Debug)]
pub struct ReadinessService<S, X = NoneExempt> {
    inner: S,
    health: Health,
    exempt: X,
    /// The last phase in which requests are let in.
    last: Phase,
    /// Whether `inner` was made ready and has not been called since.
    ready: bool,
}

impl<S, X> ReadinessService<S, X> {
    pub(super) fn new(inner: S, health: Health, exempt: X, last: Phase) -> ReadinessService<S, X> {
        ReadinessService { inner, health, exempt, last, ready: false }
    }

    /// The health that this service shares.
    pub fn health(&self) -> &Health {
        &self.health
    }

    accessors!(
        self.inner,
        "Calls made on it directly are neither rejected nor counted.",
        unready: self.ready = false
    );
}

impl<S: Clone, X: Clone> Clone for ReadinessService<S, X> {
    fn clone(&self) -> ReadinessService<S, X> {
        ReadinessService::new(self.inner.clone(), self.health.clone(), self.exempt.clone(), self.last)
    }
}

impl<S, X, Request> Service<Request> for ReadinessService<S, X>
where
    S: Service<Request> + CloneOrSharedLayer,
    S::Error: StackError,
    X: Exempt<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, Request>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.health.is_ready_until(self.last) {
            self.ready = false;
            ready!(self.inner.poll_ready(cx))?;
            self.ready = true;
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let held = if self.exempt.is_exempt(&request) {
            None
        } else {
            match self.health.admit_until(self.last) {
                Ok(held) => Some(held),
                Err(rejected) => return ResponseFuture::rejected(rejected),
            }
        };
        if std::mem::replace(&mut self.ready, false) {
            ResponseFuture::running(held, self.inner.call(request))
        } else {
            self.call_unready(held, request)
        }
    }
}

impl<S: Clone, X> ReadinessService<S, X> {
    #[cold]
    fn call_unready<F, Request>(&self, held: Option<InFlight>, request: Request) -> ResponseFuture<F, S, Request> {
        ResponseFuture::unready(held, self.inner.clone(), request)
    }
}
