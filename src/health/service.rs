use std::task::{Context, Poll};

use tower_service::Service;

use super::admission::ReadinessScope;
use super::exempt::{Exempt, NoneExempt};
use super::future::ResponseFuture;
use super::handle::Health;
use crate::admission::classify::ErrorClassifier;
use crate::admission::gate::Readiness;
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
    gate: Readiness<()>,
}

impl<S, X> ReadinessService<S, X> {
    pub(super) fn new(inner: S, health: Health, exempt: X, last: Phase) -> ReadinessService<S, X> {
        ReadinessService { inner, health, exempt, last, gate: Readiness::default() }
    }

    /// The health that this service shares.
    pub fn health(&self) -> &Health {
        &self.health
    }

    accessors!(
        self.inner,
        "Calls made on it directly are neither rejected nor counted.",
        unready: self.gate.forget_readiness()
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
        let scope = ReadinessScope { last: self.last, exempt: false };
        self.gate.poll_ready(&self.health, scope, &mut self.inner, cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let scope = ReadinessScope { last: self.last, exempt: self.exempt.is_exempt(&request) };
        self.gate.call(&self.health, scope, &mut self.inner, request, &ErrorClassifier, |state, held| {
            ResponseFuture::new(state, held.map(|(handle, classifier)| (handle.clone(), classifier)))
        })
    }
}
