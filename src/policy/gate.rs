use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::attempt::Attempt;
use super::class::Class;
use super::handle::Policy;
use super::pass::{Pass, PassGuard};
use super::stage::AttemptStage;
use super::waiting::QueuedAttempt;
use crate::circuit_breaker::Refusal;
use crate::machine::verdict::Verdict;

/// What `poll_ready` has found out, for the call that follows. It holds neither the inner service nor a handle to the
/// policy: its owner has both.
#[derive(Debug, Default)]
pub(super) struct PolicyGate {
    /// `poll_ready` was ready to reject: what the call will get.
    refusal: Option<Refusal>,
    /// Whether the service has been made ready and not called since.
    ready: bool,
}

impl PolicyGate {
    /// The caller may have used up the service's readiness.
    pub(super) fn forget_readiness(&mut self) {
        self.ready = false;
    }

    /// Ready if the inner service is, or if it would not be called: see [`PolicyService`](super::PolicyService).
    #[inline]
    pub(super) fn poll_ready<S, Request>(
        &mut self,
        service: &mut S,
        policy: &Policy,
        class: Class,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>>
    where
        S: Service<Request>,
    {
        self.refusal = None;
        let mut asked_under = None;
        if let Some(circuit_breaker) = policy.circuit_breaker_for(class) {
            match circuit_breaker.shared().peek() {
                Ok(generation) => asked_under = Some((circuit_breaker, generation)),
                Err(refusal) => {
                    self.refusal = Some(refusal);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        if policy.bulkhead_for(class).is_none_or(|bulkhead| bulkhead.shared().has_room()) {
            self.ready = false;
            if let Err(error) = ready!(service.poll_ready(cx)) {
                if let Some((circuit_breaker, generation)) = asked_under {
                    circuit_breaker.shared().ready_failed(generation);
                }
                return Poll::Ready(Err(error));
            }
            self.ready = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Calls the inner service if the circuit breaker and the bulkhead let the call pass.
    #[inline]
    pub(super) fn call<'a, S, Request>(
        &mut self,
        service: &mut S,
        policy: &'a Policy,
        class: Class,
        request: Request,
    ) -> (Pass<&'a Policy>, AttemptStage<S::Future, S, Request>)
    where
        S: Service<Request> + Clone,
    {
        let mut pass = Pass::new(policy);
        let refusal = self.refusal.take();
        if let Some(circuit_breaker) = policy.circuit_breaker_for(class) {
            match refusal.map_or_else(|| circuit_breaker.shared().admit(), Err) {
                Ok(ticket) => pass.set_ticket(ticket),
                Err(refusal) => return (pass, AttemptStage::rejected(circuit_breaker.reject(refusal))),
            }
        }
        if let Some(bulkhead) = policy.bulkhead_for(class) {
            match bulkhead.shared().try_acquire() {
                Ok(()) => pass.set_permit(),
                Err(tally) if bulkhead.shared().may_wait(tally) => {
                    pass.hand_back_ticket();
                    let waiting = QueuedAttempt::queued(bulkhead, class, self.unready_clone(service), request);
                    return (pass, AttemptStage::QueuedAttempt { waiting });
                }
                Err(_) => {
                    let rejected = bulkhead.shared().reject(None);
                    pass.settle(Verdict::Ignored);
                    return (pass, AttemptStage::rejected(rejected));
                }
            }
        }
        let fuse = PassGuard::new(&mut pass);
        let stage = if std::mem::take(&mut self.ready) {
            let inner = service.call(request);
            AttemptStage::Calling { attempt: Attempt::new(policy, class, inner) }
        } else {
            AttemptStage::QueuedAttempt { waiting: QueuedAttempt::granted(class, self.unready_clone(service), request) }
        };
        fuse.disarm();
        (pass, stage)
    }

    /// A clone of the inner service that is not ready.
    #[cold]
    fn unready_clone<S: Clone>(&mut self, service: &mut S) -> S {
        // While its caller waits, it does not hold the readiness that was meant for it either.
        if std::mem::replace(&mut self.ready, false) {
            *service = service.clone();
        }
        service.clone()
    }
}
