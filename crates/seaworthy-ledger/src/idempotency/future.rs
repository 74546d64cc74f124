use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use seaworthy::StackError;
use tower_service::Service;

use super::codec::Codec;
use super::error::IdempotencyError;
use super::final_if::FinalIf;
use super::give_claim::GiveClaim;
use super::guarded::GuardedCall;
use super::to_end::InTask;
use crate::caught::polled_again;
use crate::store::LedgerStore;

pin_project! {
    /// The response future of [`IdempotencyService`](super::IdempotencyService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner call. Its claim is failed with the reason `dropped` if the inner service had been
    /// called, and given back otherwise. A record that has begun goes on in the background. With
    /// [`run_to_end`](crate::IdempotencyLayer::run_to_end) dropping it stops nothing.
    ///
    /// # Panics
    /// If the inner service does; the claim is failed with the panic's message.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, R, L, C, F, G>
    where
        G: GiveClaim<R, L>,
        S: Service<G::Request>,
        L: LedgerStore,
    {
        #[pin]
        state: State<S::Future, GuardedCall<S, R, L, C, F, G>, S::Response, S::Error>,
    }
}

pin_project! {
    // Two, so that a call without a key is dropped in a comparison.
    #[project = StateProj]
    enum State<F, C, T, E> {
        Passing { #[pin] inner: F },
        Else { call: Pin<Box<Else<C, T, E>>> },
    }
}

pin_project! {
    #[project = ElseProj]
    enum Else<C, T, E> {
        Guarded { #[pin] call: C },
        ToEnd { call: InTask<Result<T, E>> },
        Refused { error: Option<E> },
    }
}

impl<S, R, L, C, F, G> ResponseFuture<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    L: LedgerStore,
{
    #[inline]
    pub(super) fn passing(inner: S::Future) -> Self {
        ResponseFuture { state: State::Passing { inner } }
    }

    pub(super) fn guarded(call: GuardedCall<S, R, L, C, F, G>) -> Self {
        ResponseFuture { state: State::Else { call: Box::pin(Else::Guarded { call }) } }
    }

    pub(super) fn to_end(call: InTask<Result<S::Response, S::Error>>) -> Self {
        ResponseFuture { state: State::Else { call: Box::pin(Else::ToEnd { call }) } }
    }

    #[cold]
    pub(super) fn refused(error: S::Error) -> Self {
        ResponseFuture { state: State::Else { call: Box::pin(Else::Refused { error: Some(error) }) } }
    }
}

impl<S, R, L, C, F, G> Future for ResponseFuture<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    S::Error: StackError + From<IdempotencyError> + Display,
    L: LedgerStore,
    C: Codec<S::Response>,
    F: FinalIf<S::Response, S::Error>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passing { inner } => inner.poll(cx),
            StateProj::Else { call } => call.as_mut().poll(cx),
        }
    }
}

impl<C, T, E> Future for Else<C, T, E>
where
    C: Future<Output = Result<T, E>>,
    E: From<IdempotencyError>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            ElseProj::Guarded { call } => call.poll(cx),
            ElseProj::ToEnd { call } => {
                Pin::new(call).poll(cx).map(|ended| ended.unwrap_or_else(|| Err(IdempotencyError::Lost.into())))
            }
            ElseProj::Refused { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => polled_again("`ResponseFuture`"),
            },
        }
    }
}

impl<S, R, L, C, F, G> fmt::Debug for ResponseFuture<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    L: LedgerStore,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Passing { .. } => "passing",
            State::Else { call } => match &**call {
                Else::Guarded { .. } => "guarded",
                Else::ToEnd { .. } => "to end",
                Else::Refused { .. } => "refused",
            },
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
