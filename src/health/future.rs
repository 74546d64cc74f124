use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::handle::Health;
use crate::admission::call::AdmissionCall;
use crate::admission::call_state::CallState;
use crate::admission::classify::ErrorClassifier;
use crate::admission::late::LateCall;
use crate::error::StackError;

type Late<S, Request> = Box<LateCall<Health, S, Request>>;

pin_project! {
    /// The response future of [`ReadinessService`](super::ReadinessService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, and the request is no longer in flight.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, Request> {
        #[pin]
        pub(crate) call: AdmissionCall<Health, F, Late<S, Request>, ErrorClassifier>,
    }
}

impl<F, S, Request> ResponseFuture<F, S, Request> {
    #[inline(always)]
    pub(super) fn new(state: CallState<Health, F, Late<S, Request>>, held: Option<(Health, ErrorClassifier)>) -> Self {
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
