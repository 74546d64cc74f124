use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Method, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::JudgedBody;
use super::judge::{JudgeBody, MakeJudge, NoJudge};
use super::owner::CircuitOwner;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::circuit_breaker::{CircuitBreakerService, ResponseFuture};
use crate::error::StackError;
use crate::machine::circuit_breaker::body_scope::BodyScope;

/// Fails requests at once while the circuit is open, and reports to the circuit breaker how the others went once their
/// response bodies have ended. Otherwise the same as a [`CircuitBreakerService`].
///
/// # Clone
/// A clone shares the circuit breaker; it is not ready just because the original is.
#[derive(Clone, Debug)]
pub struct BodyCircuitBreakerService<S, C = ErrorClassifier, M = NoJudge> {
    circuit_breaker: CircuitBreakerService<S, C>,
    scope: Option<Arc<BodyScope>>,
    make_judge: M,
}

impl<S, C, M> BodyCircuitBreakerService<S, C, M> {
    pub(super) fn new(
        circuit_breaker: CircuitBreakerService<S, C>,
        scope: Option<Arc<BodyScope>>,
        make_judge: M,
    ) -> BodyCircuitBreakerService<S, C, M> {
        BodyCircuitBreakerService { circuit_breaker, scope, make_judge }
    }

    /// The circuit breaker that this service shares.
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        self.circuit_breaker.circuit_breaker()
    }

    accessors!(through self.circuit_breaker, "Calls made on it directly are not counted.");
}

impl<S, C, M, R, B> Service<Request<R>> for BodyCircuitBreakerService<S, C, M>
where
    S: Service<Request<R>, Response = Response<B>>,
    S::Error: StackError,
    C: Classify<Response<B>, S::Error> + Clone,
    M: MakeJudge + Clone,
    M::Judge: JudgeBody<B::Data>,
    B: Body,
{
    type Response = Response<JudgedBody<B, M::Judge>>;
    type Error = S::Error;
    type Future = BodyCircuitBreakerFuture<S::Future, C, M>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.circuit_breaker.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<R>) -> Self::Future {
        let to_head = *request.method() == Method::HEAD;
        let mut inner = self.circuit_breaker.call(request);
        if self.scope.as_ref().is_some_and(|scope| scope.times_drops()) {
            inner.start_clock();
        }
        BodyCircuitBreakerFuture { inner, scope: self.scope.clone(), make_judge: self.make_judge.clone(), to_head }
    }
}

pin_project! {
    /// The response future of [`BodyCircuitBreakerService`].
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says.
    #[must_use = "futures do nothing unless polled"]
    pub struct BodyCircuitBreakerFuture<F, C, M> {
        #[pin]
        inner: ResponseFuture<F, C>,
        scope: Option<Arc<BodyScope>>,
        make_judge: M,
        to_head: bool,
    }
}

impl<F, C, M> fmt::Debug for BodyCircuitBreakerFuture<F, C, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCircuitBreakerFuture").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F, C, M, B, E> Future for BodyCircuitBreakerFuture<F, C, M>
where
    F: Future<Output = Result<Response<B>, E>>,
    C: Classify<Response<B>, E>,
    E: StackError,
    M: MakeJudge,
    M::Judge: JudgeBody<B::Data>,
    B: Body,
{
    type Output = Result<Response<JudgedBody<B, M::Judge>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut kept = None;
        let response = ready!(this.inner.project().call.poll_keeping(cx, &mut kept))?;
        let Some(kept) = kept else { return Poll::Ready(Ok(response.map(JudgedBody::settled))) };
        let owner = CircuitOwner { circuit_breaker: kept.admission, ticket: kept.ticket, scope: this.scope.take() };
        let (head, body) = response.into_parts();
        let body = JudgedBody::new(body, owner, kept.head, || this.make_judge.make_judge(&head, *this.to_head));
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}
