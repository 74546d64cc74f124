use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tower_service::Service;

use super::attempt::Attempt;
use super::handle::Policy;
use super::pass::{Pass, PassGuard};
use super::waiting::QueuedAttempt;
use super::whole::PolicyTotal;
use crate::circuit_breaker::classify::Classify;
use crate::circuit_breaker::judge;
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

pin_project! {
    /// How far one attempt of a call through a policy has got.
    #[project = AttemptStageProj]
    pub(super) enum AttemptStage<F, S, Sent> {
        Calling { #[pin] attempt: Attempt<F> },
        // For a permit, and then for the inner service to be ready.
        QueuedAttempt { waiting: Box<QueuedAttempt<S, Sent>> },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, S, Sent> AttemptStage<F, S, Sent> {
    #[inline]
    pub(super) fn rejected(rejected: Rejected) -> Self {
        AttemptStage::Rejected { rejected: Some(rejected) }
    }

    #[inline]
    pub(super) fn is_rejected(&self) -> bool {
        matches!(self, AttemptStage::Rejected { .. })
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            AttemptStage::Calling { .. } => "calling",
            AttemptStage::QueuedAttempt { .. } => "waiting",
            AttemptStage::Rejected { .. } => "rejected",
        }
    }

    /// Ready with the result, once the circuit breaker has been told and the permit released. There is a pass, unless
    /// the attempt was rejected.
    #[inline]
    pub(super) fn poll<C, T, E>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pass: Option<&mut Pass<Policy>>,
        classifier: &C,
    ) -> Poll<Result<T, E>>
    where
        S: Service<Sent, Response = T, Error = E, Future = F>,
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        E: StackError,
    {
        let Some(pass) = pass else { return Poll::Ready(Err(self.take_rejection().into())) };
        loop {
            match self.as_mut().project() {
                AttemptStageProj::Calling { attempt } => return attempt.poll(cx, pass, classifier),
                AttemptStageProj::QueuedAttempt { waiting } => {
                    let mut fuse = PassGuard::new(pass);
                    let poll = fuse.pass().map_or(Poll::Pending, |pass| waiting.poll(cx, pass));
                    match poll {
                        Poll::Pending => {
                            fuse.disarm();
                            return Poll::Pending;
                        }
                        Poll::Ready(Ok(attempt)) => {
                            fuse.disarm();
                            self.set(AttemptStage::Calling { attempt });
                        }
                        Poll::Ready(Err(error)) => {
                            let result = Err(error);
                            if let Some(pass) = fuse.pass() {
                                pass.give_back();
                            }
                            let verdict = judge(classifier, &result);
                            fuse.disarm();
                            pass.settle(verdict);
                            return Poll::Ready(result);
                        }
                    }
                }
                AttemptStageProj::Rejected { .. } => return Poll::Ready(Err(self.take_rejection().into())),
            }
        }
    }

    fn take_rejection(self: Pin<&mut Self>) -> Rejected {
        let taken = match self.project() {
            AttemptStageProj::Rejected { rejected } => rejected.take(),
            _ => None,
        };
        match taken {
            Some(rejected) => rejected,
            None => polled_again("`ResponseFuture`"),
        }
    }
}

pin_project! {
    /// The response future of [`PolicyService`](super::PolicyService) if it never retries.
    ///
    /// # Cancellation
    /// Dropping it counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, drops the inner future, and then
    /// releases the permit or leaves the queue.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait for a limited time.
    #[must_use = "futures do nothing unless polled"]
    pub struct OnceFuture<F, S, Request, C> {
        #[pin]
        whole: PolicyTotal<Single<F, S, Request, C>>,
    }
}

pin_project! {
    /// The only attempt.
    struct Single<F, S, Request, C> {
        #[pin]
        stage: AttemptStage<F, S, Request>,
        classifier: C,
        // Last, so that the permit is released after the inner future was dropped. `None` if nothing is held.
        pass: Option<Pass<Policy>>,
    }

    impl<F, S, Request, C> PinnedDrop for Single<F, S, Request, C> {
        fn drop(this: Pin<&mut Self>) {
            // Before the inner future is dropped, because that may take a while.
            if let Some(pass) = this.project().pass {
                pass.settle_dropped();
            }
        }
    }
}

impl<F, S, Request, C> OnceFuture<F, S, Request, C> {
    #[inline]
    pub(super) fn new(
        pass: Pass<&Policy>,
        total: Option<Duration>,
        stage: AttemptStage<F, S, Request>,
        classifier: C,
    ) -> Self {
        let ends = stage.is_rejected();
        let (policy, total) = (pass.policy_ref(), if ends { None } else { total });
        let pass = if ends { None } else { Some(pass.into_owned()) };
        OnceFuture { whole: PolicyTotal::new(policy, total, Single { stage, classifier, pass }) }
    }
}

impl<F, S, Request, C, T, E> Future for OnceFuture<F, S, Request, C>
where
    S: Service<Request, Response = T, Error = E, Future = F>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().whole.poll(cx)
    }
}

impl<F, S, Request, C, T, E> Future for Single<F, S, Request, C>
where
    S: Service<Request, Response = T, Error = E, Future = F>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.stage.poll(cx, this.pass.as_mut(), this.classifier)
    }
}

impl<F, S, Request, C> fmt::Debug for OnceFuture<F, S, Request, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceFuture")
            .field("stage", &self.whole.call().map_or("given up", |call| call.stage.name()))
            .finish_non_exhaustive()
    }
}
