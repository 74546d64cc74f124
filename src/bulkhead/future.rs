use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::handle::Bulkhead;
use crate::admission::call::AdmissionCall;
use crate::admission::call_state::CallState;
use crate::admission::classify::ErrorClassifier;
use crate::admission::late::LateCall;
use crate::admission::run::Run;
use crate::error::StackError;

type Late<S, Request> = Box<LateCall<Bulkhead, S, Request>>;
type BulkheadCallState<F, S, Request> = CallState<Bulkhead, F, Late<S, Request>>;

pin_project! {
    /// The response future of [`BulkheadService`](super::BulkheadService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and then releases the permit, or leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, Request> {
        #[pin]
        pub(crate) call: AdmissionCall<Bulkhead, F, Late<S, Request>, ErrorClassifier>,
    }
}

impl<F, S, Request> ResponseFuture<F, S, Request> {
    #[inline(always)]
    pub(super) fn new(state: BulkheadCallState<F, S, Request>, held: Option<(Bulkhead, ErrorClassifier)>) -> Self {
        ResponseFuture { call: AdmissionCall::new(state, held) }
    }
}

impl<F, S, Request, T, E> Future for ResponseFuture<F, S, Request>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx)
    }
}

impl<F, S, Request> fmt::Debug for ResponseFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("state", &self.call.state().name()).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Bulkhead::run`](crate::Bulkhead::run), which asks for a permit at its first poll.
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and then releases the permit, or leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct BulkheadRun<'a, F> {
        #[pin]
        run: Run<'a, Bulkhead, F, ErrorClassifier>,
    }
}

impl<'a, F> BulkheadRun<'a, F> {
    #[inline]
    pub(super) fn new(bulkhead: &'a Bulkhead, inner: F) -> BulkheadRun<'a, F> {
        BulkheadRun { run: Run::new(bulkhead, inner, ErrorClassifier) }
    }
}

impl<F, T, E> Future for BulkheadRun<'_, F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }
}

impl<F> fmt::Debug for BulkheadRun<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadRun").finish_non_exhaustive()
    }
}
