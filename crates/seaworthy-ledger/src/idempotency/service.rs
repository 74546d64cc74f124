use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use seaworthy::{ConfigError, StackError};
use tokio::runtime::Handle;
use tower_service::Service;

use super::codec::{Codec, Json};
use super::error::IdempotencyError;
use super::final_if::{FinalIf, Successes};
use super::future::ResponseFuture;
use super::give_claim::{GiveClaim, Ungiven};
use super::guarded::GuardedCall;
use super::layer::{InPlace, ToEnd};
use super::requested::IntoClaimRequest;
use super::rules::Rules;
use super::to_end::InTask;
use crate::memory::Memory;
use crate::request::ClaimRequest;
use crate::store::LedgerStore;

/// Does the work of each key once. Made by [`IdempotencyLayer`](crate::IdempotencyLayer).
///
/// It is always ready: a request whose answer is kept does not need the inner service. A call that does needs it makes
/// a clone of it ready, after the key was claimed, and waits for that. So what is full or closed below is seen by
/// calls, not by `poll_ready`, and a layer above that waits for readiness does not wait.
///
/// # Clone
/// Costs clones of the inner service and of `key_of`, and a reference count. A clone holds nothing, ready or not.
#[derive(Clone)]
pub struct IdempotencyService<S, K, L = Memory, C = Json, F = Successes, G = Ungiven, M = InPlace> {
    /// Never left ready between calls.
    inner: S,
    key_of: K,
    rules: Arc<Rules<L, C, F, G>>,
    run: PhantomData<M>,
}

impl<S, K, L, C, F, G, M> IdempotencyService<S, K, L, C, F, G, M> {
    pub(super) fn new(inner: S, key_of: K, rules: Rules<L, C, F, G>) -> Self {
        IdempotencyService { inner, key_of, rules: Arc::new(rules), run: PhantomData }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. Calls made on it directly are not guarded.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Unwraps the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Not inlined, so that what has no key does not pay for the room that a claim needs.
    #[inline(never)]
    fn guard<R>(&self, claim: ClaimRequest, request: R) -> ResponseFuture<S, R, L, C, F, G>
    where
        G: GiveClaim<R, L>,
        S: Service<G::Request> + Clone,
        L: LedgerStore,
    {
        let rules = Arc::clone(&self.rules);
        ResponseFuture::guarded(GuardedCall::claiming(rules, claim, self.inner.clone(), request))
    }

    /// Not ready yet, so that it is asked again, by the future.
    #[cold]
    #[inline(never)]
    fn late<R>(&mut self, request: G::Request) -> ResponseFuture<S, R, L, C, F, G>
    where
        G: GiveClaim<R, L>,
        S: Service<G::Request> + Clone,
        L: LedgerStore,
    {
        let unready = self.inner.clone();
        let service = mem::replace(&mut self.inner, unready);
        ResponseFuture::guarded(GuardedCall::unclaimed(Arc::clone(&self.rules), service, request))
    }

    /// Calls the inner service without a claim: at once if it is ready.
    #[inline]
    fn pass<R>(&mut self, request: R) -> ResponseFuture<S, R, L, C, F, G>
    where
        G: GiveClaim<R, L>,
        S: Service<G::Request> + Clone,
        L: LedgerStore,
    {
        let request = self.rules.give.give(request, None);
        match self.inner.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => ResponseFuture::passing(self.inner.call(request)),
            Poll::Ready(Err(error)) => ResponseFuture::refused(error),
            Poll::Pending => self.late(request),
        }
    }
}

impl<S, K, L, C, F, G, R, Q> Service<R> for IdempotencyService<S, K, L, C, F, G, InPlace>
where
    S: Service<G::Request> + Clone,
    S::Error: StackError + From<IdempotencyError> + Display,
    K: Fn(&R) -> Q,
    Q: IntoClaimRequest,
    L: LedgerStore,
    C: Codec<S::Response>,
    F: FinalIf<S::Response, S::Error>,
    G: GiveClaim<R, L>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, L, C, F, G>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        match (self.key_of)(&request).into_claim_request() {
            Ok(None) => self.pass(request),
            Ok(Some(claim)) => self.guard(claim, request),
            Err(error) => refused(error),
        }
    }
}

#[cold]
#[inline(never)]
fn refused<S, R, L, C, F, G>(error: ConfigError) -> ResponseFuture<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    S::Error: From<IdempotencyError>,
    L: LedgerStore,
{
    ResponseFuture::refused(IdempotencyError::Request(error).into())
}

/// # Panics
/// `call` panics outside of a tokio runtime, if the request has a key.
impl<S, K, L, C, F, G, R, Q> Service<R> for IdempotencyService<S, K, L, C, F, G, ToEnd>
where
    S: Service<G::Request> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: StackError + From<IdempotencyError> + Display + Send + 'static,
    K: Fn(&R) -> Q,
    Q: IntoClaimRequest,
    L: LedgerStore,
    C: Codec<S::Response> + Send + Sync + 'static,
    F: FinalIf<S::Response, S::Error> + Send + Sync + 'static,
    G: GiveClaim<R, L> + Send + Sync + 'static,
    G::Request: Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, L, C, F, G>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        match (self.key_of)(&request).into_claim_request() {
            Ok(None) => self.pass(request),
            Ok(Some(claim)) => {
                let call = GuardedCall::claiming(Arc::clone(&self.rules), claim, self.inner.clone(), request);
                ResponseFuture::to_end(InTask::spawn(&self.rules.ledger.0.tasks, &Handle::current(), call))
            }
            Err(error) => refused(error),
        }
    }
}

impl<S: fmt::Debug, K, L, C, F, G, M> fmt::Debug for IdempotencyService<S, K, L, C, F, G, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyService")
            .field("inner", &self.inner)
            .field("ledger", &self.rules.ledger)
            .field("on_down", &self.rules.on_down)
            .finish_non_exhaustive()
    }
}
