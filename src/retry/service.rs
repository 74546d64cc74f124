use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use tower_service::Service;

use super::decide::{ByResult, RetryErrors, RetryIfFor};
use super::future::{ResponseFuture, RetryParts};
use super::in_progress::InProgress;
use super::policy::RetryPolicy;
use super::replay::{CloneReplay, Replay};
use crate::shared::CloneOrSharedLayer;

/// Tries failed requests again, according to its policy.
///
/// `poll_ready` is the inner service's. The first attempt uses the service that was made ready. The others use a clone,
/// which is driven to readiness before each.
///
/// Errors must be `Debug` and `Display`, because the observer gets them when an attempt fails.
///
/// # Clone
/// A clone shares the policy and its budget; it is not ready just because the original is.
#[derive(Clone, Debug)]
pub struct RetryService<S, C = ByResult<RetryErrors>, R = CloneReplay> {
    inner: S,
    policy: RetryPolicy,
    retry_if: C,
    replay: R,
}

impl<S, C, R> RetryService<S, C, R> {
    pub(super) fn new(inner: S, policy: RetryPolicy, retry_if: C, replay: R) -> RetryService<S, C, R> {
        RetryService { inner, policy, retry_if, replay }
    }

    /// The policy that this service shares.
    pub fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    accessors!(self.inner, "Calls made on it directly are not retried.");
}

impl<S, C, R, Request> Service<Request> for RetryService<S, C, R>
where
    S: Service<R::Sent> + CloneOrSharedLayer,
    S::Error: Debug + Display,
    C: RetryIfFor<Request, S::Response, S::Error>,
    R: Replay<Request> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request, C::Decider, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let retry_if = self.retry_if.decider(&request);
        let progress = self.policy.begin();
        let (sent, kept) =
            if self.policy.is_last(&progress) { (self.replay.once(request), None) } else { self.replay.keep(request) };
        let spare = kept.map(|kept| RetryParts::new(self.inner.clone(), kept));
        let call = self.inner.call(sent);
        let in_progress = InProgress::new(&self.policy, progress);
        ResponseFuture::new(call, spare, in_progress, retry_if, self.replay.clone())
    }
}
