use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use tower_service::Service;

use super::again::{WithRetry, WithoutRetry};
use super::attempts::{PolicyRetryParts, Retrying};
use super::class::{Class, ClassFor};
use super::future::ResponseFuture;
use super::handle::Policy;
use super::once::OnceFuture;
use super::total::{EnteredRarely, TotalClock};
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::admission::gate::Readiness;
use crate::circuit_breaker::Refusal;
use crate::error::StackError;
use crate::retry::{Replay, RetryIfFor};
use crate::shared::CloneOrSharedLayer;

/// Sends requests through the parts of a [`Policy`]: retry, circuit breaker, bulkhead and timeout, from the outside in.
///
/// While the circuit breaker lets calls pass and a permit is free, `poll_ready` is the inner service's, and it takes
/// neither a probe nor a permit. While the circuit breaker does not, it is ready without polling the inner service, and
/// the call that follows is rejected; while no permit is free it is ready as well, and the call waits or is rejected.
/// An error of the inner service's `poll_ready` is passed on and counts as a failed call.
///
/// If the inner service was not made ready for a call, the call makes a clone of it ready once it has its permit. So
/// does each retry. Both allocate.
///
/// # Clone
/// A clone shares the policy; it is not ready just because the original is.
#[derive(Debug)]
pub struct PolicyService<S, C = ErrorClassifier, L = Class, A = WithRetry> {
    inner: S,
    gate: Readiness<Option<Refusal>>,
    policy: Policy,
    class_for: L,
    classifier: C,
    again: A,
}

impl<S, C, L, A> PolicyService<S, C, L, A> {
    pub(super) fn new(inner: S, policy: Policy, class_for: L, classifier: C, again: A) -> Self {
        PolicyService { inner, gate: Readiness::default(), policy, class_for, classifier, again }
    }

    /// The policy that this service shares.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    accessors!(
        self.inner,
        "Calls made on it directly pass through no part of the policy.",
        unready: self.gate.forget_readiness()
    );
}

impl<S: Clone, C: Clone, L: Clone, A: Clone> Clone for PolicyService<S, C, L, A> {
    fn clone(&self) -> Self {
        let PolicyService { inner, gate: _, policy, class_for, classifier, again } = self;
        PolicyService::new(inner.clone(), policy.clone(), class_for.clone(), classifier.clone(), again.clone())
    }
}

impl<S, C, L, D, R, Request> Service<Request> for PolicyService<S, C, L, WithRetry<D, R>>
where
    S: Service<R::Sent> + CloneOrSharedLayer,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error> + Clone,
    L: ClassFor<Request>,
    D: RetryIfFor<Request, S::Response, S::Error>,
    R: Replay<Request> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request, C, D::Decider, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.gate.poll_ready(&self.policy, self.class_for.expected(), &mut self.inner, cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let PolicyService { inner, gate, policy, class_for, classifier, again } = self;
        let class = class_for.class_for(&request);
        let deadline = policy.deadline_for_call();
        let _entered = deadline.map(EnteredRarely::new);
        let retry_if = again.retry_if.decider(&request);
        let (sent, retrying) = match policy.retry_for(class) {
            None => (again.replay.once(request), None),
            Some(retry) => {
                let progress = retry.begin();
                let is_last = retry.is_last(&progress);
                let (sent, kept) =
                    if is_last { (again.replay.once(request), None) } else { again.replay.keep(request) };
                let spare = kept.map(|kept| PolicyRetryParts { service: inner.clone(), kept: Some(kept) });
                (sent, Some(Retrying { progress, class, spare }))
            }
        };
        let again = WithRetry { retry_if, replay: again.replay.clone() };
        let total = || TotalClock::new(policy.total_timeout_for(class), deadline);
        gate.call(&*policy, class, inner, sent, &(), |call, _| {
            ResponseFuture::new(policy, total, call, retrying, classifier, again)
        })
    }
}

impl<S, C, L, Request> Service<Request> for PolicyService<S, C, L, WithoutRetry>
where
    S: Service<Request> + CloneOrSharedLayer,
    S::Error: StackError,
    C: Classify<S::Response, S::Error> + Clone,
    L: ClassFor<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OnceFuture<S::Future, S, Request, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.gate.poll_ready(&self.policy, self.class_for.expected(), &mut self.inner, cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let PolicyService { inner, gate, policy, class_for, classifier, again: WithoutRetry } = self;
        let class = class_for.class_for(&request);
        let deadline = policy.deadline_for_call();
        let _entered = deadline.map(EnteredRarely::new);
        let total = || TotalClock::new(policy.total_timeout_for(class), deadline);
        gate.call(&*policy, class, inner, request, classifier, |call, held| OnceFuture::new(call, held, total))
    }
}
