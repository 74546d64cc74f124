use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::attempt::Attempt;
use super::class::Class;
use super::handle::Policy;
use super::pass::Pass;
use crate::bulkhead::QueueState;
use crate::bulkhead::handle::Bulkhead;
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

/// A call on its way to the inner service: it waits for a permit, then for the service to be ready.
pub(super) struct QueuedAttempt<S, Request> {
    queued: Option<Queued>,
    class: Class,
    service: S,
    request: Option<Request>,
}

/// A place in the queue, given up on drop.
struct Queued {
    bulkhead: Bulkhead,
    place: QueueState,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.place.give_up(self.bulkhead.shared());
    }
}

impl<S, Request> QueuedAttempt<S, Request> {
    #[cold]
    pub(super) fn queued(bulkhead: &Bulkhead, class: Class, service: S, request: Request) -> Box<Self> {
        let queued = Queued { bulkhead: bulkhead.clone(), place: QueueState::default() };
        Box::new(QueuedAttempt { queued: Some(queued), class, service, request: Some(request) })
    }

    /// The call has its permit, or needs none.
    #[cold]
    pub(super) fn granted(class: Class, service: S, request: Request) -> Box<Self> {
        Box::new(QueuedAttempt { queued: None, class, service, request: Some(request) })
    }

    fn end<E: StackError>(&mut self, rejected: Rejected) -> E {
        self.request = None;
        rejected.into()
    }

    /// Ready with the call, or with the rejection or error that prevented it.
    pub(super) fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        pass: &mut Pass<Policy>,
    ) -> Poll<Result<Attempt<S::Future>, E>>
    where
        S: Service<Request, Error = E>,
        E: StackError,
    {
        if let Some(Queued { bulkhead, place }) = &mut self.queued {
            let answer = ready!(place.poll(bulkhead.shared(), cx));
            let rejected = answer.map_err(|waited| bulkhead.shared().reject(waited));
            self.queued = None;
            match rejected {
                Ok(()) => pass.set_permit(),
                Err(rejected) => return Poll::Ready(Err(self.end(rejected))),
            }
            // Much may have happened while it waited.
            if let Err(rejected) = pass.admit(self.class) {
                pass.give_back();
                return Poll::Ready(Err(self.end(rejected)));
            }
        }
        if self.request.is_none() {
            polled_again("`ResponseFuture`");
        }
        let ready = ready!(self.service.poll_ready(cx));
        match (ready, self.request.take()) {
            (Ok(()), Some(request)) => {
                let inner = self.service.call(request);
                Poll::Ready(Ok(Attempt::new(pass.policy(), self.class, inner)))
            }
            (Ok(()), None) => polled_again("`ResponseFuture`"),
            (Err(error), _) => Poll::Ready(Err(error)),
        }
    }
}
