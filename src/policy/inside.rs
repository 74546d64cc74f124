use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::class::Class;
use super::handle::Policy;
use super::pass::{Fuse, Pass};
use super::waiting::Waiting;
use crate::circuit::Refusal;
use crate::{Rejected, Verdict};

/// The inner service, and what `poll_ready` has found out. It holds no handle of the policy: whoever has it has one.
#[derive(Debug)]
pub(super) struct Inside<S> {
    service: S,
    /// `poll_ready` was ready to reject: what the call will be told.
    refusal: Option<Refusal>,
    /// Whether the service was made ready and has not been called since.
    ready: bool,
}

/// What came of a call at once.
pub(super) enum Made<F, S, Request> {
    Call(F),
    Waiting(Box<Waiting<S, Request>>),
    Rejected(Rejected),
}

impl<S> Inside<S> {
    pub(super) fn new(service: S) -> Inside<S> {
        Inside { service, refusal: None, ready: false }
    }

    pub(super) fn get_ref(&self) -> &S {
        &self.service
    }

    pub(super) fn get_mut(&mut self) -> &mut S {
        // Whatever it is used for, it may not be ready after it.
        self.ready = false;
        &mut self.service
    }

    pub(super) fn into_inner(self) -> S {
        self.service
    }

    /// Ready if the inner service is, or if it would not be called: see [`PolicyService`](super::PolicyService).
    #[inline]
    pub(super) fn poll_ready<Request>(
        &mut self,
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
            if let Err(error) = ready!(self.service.poll_ready(cx)) {
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
    pub(super) fn call<'a, Request>(
        &mut self,
        policy: &'a Policy,
        class: Class,
        request: Request,
    ) -> (Pass<&'a Policy>, Made<S::Future, S, Request>)
    where
        S: Service<Request> + Clone,
    {
        let mut pass = Pass::new(policy);
        let refusal = self.refusal.take();
        if let Some(circuit) = policy.circuit_for(class) {
            match refusal.map_or_else(|| circuit.core().admit(), Err) {
                Ok(ticket) => pass.set_ticket(ticket),
                Err(refusal) => return (pass, Made::Rejected(circuit.reject(refusal))),
            }
        }
        if let Some(slots) = policy.slots_for(class) {
            match slots.core().try_take() {
                Ok(()) => pass.set_slot(),
                Err(tally) if slots.core().may_wait(tally) => {
                    let fuse = Fuse::new(&mut pass);
                    let waiting = Waiting::queued(slots, self.unready_clone(), request);
                    fuse.disarm();
                    return (pass, Made::Waiting(waiting));
                }
                Err(_) => {
                    pass.settle(Verdict::Ignored);
                    return (pass, Made::Rejected(slots.core().reject(None)));
                }
            }
        }
        let fuse = Fuse::new(&mut pass);
        let made = if std::mem::take(&mut self.ready) {
            Made::Call(self.service.call(request))
        } else {
            Made::Waiting(Waiting::granted(self.unready_clone(), request))
        };
        fuse.disarm();
        (pass, made)
    }
}

impl<S: Clone> Inside<S> {
    /// A clone of the inner service that is not ready.
    fn unready_clone(&mut self) -> S {
        // While its caller waits, not even the readiness that was meant for it is held.
        if std::mem::replace(&mut self.ready, false) {
            self.service = self.service.clone();
        }
        self.service.clone()
    }
}

impl<S: Clone> Clone for Inside<S> {
    fn clone(&self) -> Inside<S> {
        Inside::new(self.service.clone())
    }
}
