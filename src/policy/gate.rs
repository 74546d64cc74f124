use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::attempt::Attempt;
use super::class::Class;
use super::handle::Policy;
use super::pass::{Fuse, Pass};
use super::stage::Stage;
use super::waiting::Waiting;
use crate::Verdict;
use crate::circuit::Refusal;

/// What `poll_ready` has found out, for the call that follows. It holds neither the inner service nor a handle of the
/// policy: whoever has it has both.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// `poll_ready` was ready to reject: what the call will be told.
    refusal: Option<Refusal>,
    /// Whether the service was made ready and has not been called since.
    ready: bool,
}

impl Gate {
    /// Whatever the service was used for, it may not be ready after it.
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
        if let Some(circuit) = policy.circuit_for(class) {
            match circuit.core().look() {
                Ok(generation) => asked_under = Some((circuit, generation)),
                Err(refusal) => {
                    self.refusal = Some(refusal);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        if policy.slots_for(class).is_none_or(|slots| slots.core().has_room()) {
            self.ready = false;
            if let Err(error) = ready!(service.poll_ready(cx)) {
                if let Some((circuit, generation)) = asked_under {
                    circuit.core().ready_failed(generation);
                }
                return Poll::Ready(Err(error));
            }
            self.ready = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Calls the inner service if circuit and bulkhead let the call pass.
    #[inline]
    pub(super) fn call<'a, S, Request>(
        &mut self,
        service: &mut S,
        policy: &'a Policy,
        class: Class,
        request: Request,
    ) -> (Pass<&'a Policy>, Stage<S::Future, S, Request>)
    where
        S: Service<Request> + Clone,
    {
        let mut pass = Pass::new(policy);
        let refusal = self.refusal.take();
        if let Some(circuit) = policy.circuit_for(class) {
            match refusal.map_or_else(|| circuit.core().admit(), Err) {
                Ok(ticket) => pass.set_ticket(ticket),
                Err(refusal) => return (pass, Stage::rejected(circuit.reject(refusal))),
            }
        }
        if let Some(slots) = policy.slots_for(class) {
            match slots.core().try_take() {
                Ok(()) => pass.set_slot(),
                Err(tally) if slots.core().may_wait(tally) => {
                    pass.hand_back_ticket();
                    let waiting = Waiting::queued(slots, class, self.unready_clone(service), request);
                    return (pass, Stage::Waiting { waiting });
                }
                Err(_) => {
                    let rejected = slots.core().reject(None);
                    pass.settle(Verdict::Ignored);
                    return (pass, Stage::rejected(rejected));
                }
            }
        }
        let fuse = Fuse::new(&mut pass);
        let stage = if std::mem::take(&mut self.ready) {
            let inner = service.call(request);
            Stage::Calling { attempt: Attempt::new(policy, class, inner) }
        } else {
            Stage::Waiting { waiting: Waiting::granted(class, self.unready_clone(service), request) }
        };
        fuse.disarm();
        (pass, stage)
    }

    /// A clone of the inner service that is not ready.
    #[cold]
    fn unready_clone<S: Clone>(&mut self, service: &mut S) -> S {
        // While its caller waits, not even the readiness that was meant for it is held.
        if std::mem::replace(&mut self.ready, false) {
            *service = service.clone();
        }
        service.clone()
    }
}
