use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::attempt::Attempt;
use super::class::Class;
use super::handle::Policy;
use super::pass::Pass;
use crate::bulkhead::{Place, Waiter};
use crate::{Rejected, Slots, StackError, Verdict};

/// A call on its way to the inner service: it waits for a slot, then for the service to be ready.
pub(super) struct Waiting<S, Request> {
    queued: Option<Queued>,
    class: Class,
    service: S,
    request: Option<Request>,
}

/// A place in the queue, which is left when it is dropped.
struct Queued {
    slots: Slots,
    place: Place,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.place.give_up(self.slots.core());
    }
}

impl<S, Request> Waiting<S, Request> {
    #[cold]
    pub(super) fn queued(slots: &Slots, class: Class, service: S, request: Request) -> Box<Self> {
        let queued = Queued { slots: slots.clone(), place: Place::default() };
        Box::new(Waiting { queued: Some(queued), class, service, request: Some(request) })
    }

    /// The call has its slot, or needs none.
    #[cold]
    pub(super) fn granted(class: Class, service: S, request: Request) -> Box<Self> {
        Box::new(Waiting { queued: None, class, service, request: Some(request) })
    }

    /// Ready with the call, or with the rejection or the error that came in its way.
    pub(super) fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        pass: &mut Pass<Policy>,
    ) -> Poll<Result<Attempt<S::Future>, E>>
    where
        S: Service<Request, Error = E>,
        E: StackError,
    {
        if let Some(Queued { slots, place }) = &mut self.queued {
            let answer = ready!(place.poll(slots.core(), cx));
            let rejected = answer.map_err(|waited| slots.core().reject(waited));
            self.queued = None;
            match rejected {
                Ok(()) => pass.set_slot(),
                Err(rejected) => {
                    self.request = None;
                    return Poll::Ready(Err(rejected.into()));
                }
            }
        }
        if self.request.is_none() {
            // It was polled after it ended, which no future has to survive; hanging is worse than telling.
            panic!("`ResponseFuture` was polled after it was ready");
        }
        let ready = ready!(self.service.poll_ready(cx));
        match (ready, self.request.take()) {
            (Ok(()), Some(request)) => {
                let inner = self.service.call(request);
                Poll::Ready(Ok(Attempt::new(pass.policy(), self.class, inner)))
            }
            (Ok(()), None) => panic!("`ResponseFuture` was polled after it was ready"),
            (Err(error), _) => Poll::Ready(Err(error)),
        }
    }
}

/// A call without a service, on its way to its slot, which the pass then has.
pub(super) struct Queueing<'a, 'p> {
    /// Until there is an answer.
    pass: Option<&'a mut Pass<&'p Policy>>,
    waiter: Waiter<&'p Slots>,
}

impl<'a, 'p> Queueing<'a, 'p> {
    pub(super) fn new(pass: &'a mut Pass<&'p Policy>, slots: &'p Slots) -> Queueing<'a, 'p> {
        Queueing { pass: Some(pass), waiter: Waiter::new(slots) }
    }
}

impl Future for Queueing<'_, '_> {
    type Output = Result<(), Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Queueing { pass, waiter } = self.get_mut();
        let answer = ready!(Pin::new(waiter).poll(cx));
        let Some(pass) = pass.take() else { panic!("a call that waits for its slot was polled after it was ready") };
        Poll::Ready(match answer {
            Ok(held) => {
                held.keep();
                pass.set_slot();
                Ok(())
            }
            Err(rejected) => {
                pass.settle(Verdict::Ignored);
                Err(rejected)
            }
        })
    }
}

impl Drop for Queueing<'_, '_> {
    fn drop(&mut self) {
        // Before the queue is left, as with a call that is dropped while it runs.
        if let Some(pass) = &mut self.pass {
            pass.settle_dropped();
        }
    }
}
