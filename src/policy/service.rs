use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use tower_service::Service;

use super::class::{Class, ClassFor};
use super::future::{Judges, ResponseFuture, Retrying, Spare};
use super::handle::Policy;
use super::inside::Inside;
use crate::retry::{CloneReplay, Replay, RetryErrors, RetryIf};
use crate::{Classify, ErrorClassifier, StackError};

/// Sends requests through the parts of a [`Policy`]: retry, circuit, bulkhead and timeout, from the outside to the
/// inside.
///
/// `poll_ready` is the inner service's while the circuit lets calls pass and a slot is free, and takes neither. While
/// the circuit does not, it is ready without asking the inner service, and the call that follows is rejected; while no
/// slot is free it is ready, too, and the call waits or is rejected. An error of the inner service's `poll_ready` is
/// passed on and counts as a failed call.
///
/// A call for which the inner service was not made ready makes a clone of it ready once it has its slot. So does each
/// retry. Both allocate.
///
/// # Clone
/// A clone shares the policy; it is not ready because the original is.
#[derive(Clone, Debug)]
pub struct PolicyService<S, C = ErrorClassifier, L = Class, D = RetryErrors, R = CloneReplay> {
    inside: Inside<S>,
    policy: Policy,
    retries: bool,
    class_for: L,
    classifier: C,
    retry_if: D,
    replay: R,
}

impl<S, C, L, D, R> PolicyService<S, C, L, D, R> {
    pub(super) fn new(inner: S, policy: Policy, retries: bool, class_for: L, judges: Judges<C, D, R>) -> Self {
        let Judges { classifier, retry_if, replay } = judges;
        PolicyService { inside: Inside::new(inner), policy, retries, class_for, classifier, retry_if, replay }
    }

    /// The policy that this service shares.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        self.inside.get_ref()
    }

    /// The inner service. What is called on it directly passes no part of the policy.
    pub fn get_mut(&mut self) -> &mut S {
        self.inside.get_mut()
    }

    /// The inner service, alone.
    pub fn into_inner(self) -> S {
        self.inside.into_inner()
    }
}

impl<S, C, L, D, R, Request> Service<Request> for PolicyService<S, C, L, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error> + Clone,
    L: ClassFor<Request>,
    D: RetryIf<S::Response, S::Error> + Clone,
    R: Replay<Request> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request, C, D, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inside.poll_ready(&self.policy, self.class_for.expected(), cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let PolicyService { inside, policy, retries, class_for, classifier, retry_if, replay } = self;
        let class = class_for.class_for(&request);
        let judges =
            Judges { classifier: classifier.clone(), retry_if: retry_if.clone(), replay: replay.clone() };
        let retry = if *retries { policy.retry_for(class) } else { None };
        let (sent, retrying) = match retry {
            None => (replay.once(request), None),
            Some(retry) => {
                let progress = retry.begin();
                let (sent, kept) =
                    if retry.is_last(&progress) { (replay.once(request), None) } else { replay.keep(request) };
                let spare = kept.map(|kept| Spare { inside: inside.clone(), kept: Some(kept) });
                (sent, Some(Retrying { progress, spare }))
            }
        };
        let (pass, made) = inside.call(policy, class, sent);
        ResponseFuture::new(pass, made, class, retrying, judges)
    }
}
