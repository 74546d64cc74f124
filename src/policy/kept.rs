use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

use super::admission::PolicyTicket;
use super::future::ResponseFuture;
use super::handle::Policy;
use crate::admission::call_state::CallState;
use crate::admission::classify::Classify;
use crate::admission::late::PollLate;
use crate::admission::{Admission, KeptCall};
use crate::error::StackError;
use crate::fallback::{self, Answer, FallbackIf};
use crate::machine::verdict::Verdict;
use crate::retry::Replay;
use crate::retry::decide::RetryIf;

/// The future of a call through a policy, which may hand over what the call holds to the body of its response. Not for
/// implementation outside this crate.
pub trait PolicyFuture: Future + OfPolicy {
    /// Like `poll`. If the policy's calls go on in their bodies and the call has a response, `kept` has what it holds.
    fn poll_kept(self: Pin<&mut Self>, cx: &mut Context<'_>, kept: &mut PolicyKept) -> Poll<Self::Output>;
}

/// What a call through a policy holds that goes on in its response body.
#[derive(Default)]
pub struct PolicyKept(pub(crate) Option<KeptCall<Policy>>);

impl Debug for PolicyKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyKept").field("is_some", &self.0.is_some()).finish()
    }
}

/// Keeps implementations inside this crate.
pub trait OfPolicy {}

impl<F, A, W, Request, T, E> OfPolicy for fallback::ResponseFuture<F, A, W, Request, T, E> where A: Answer<Request, T, E>
{}

/// The fallback's answer has a body of its own, of which the policy learns nothing.
impl<F, A, W, Request, T, E> PolicyFuture for fallback::ResponseFuture<F, A, W, Request, T, E>
where
    F: PolicyFuture<Output = Result<T, E>>,
    E: Debug + Display,
    A: Answer<Request, T, E>,
    W: FallbackIf<E>,
{
    #[inline]
    fn poll_kept(self: Pin<&mut Self>, cx: &mut Context<'_>, kept: &mut PolicyKept) -> Poll<Self::Output> {
        self.poll_with(cx, |inner, cx| inner.poll_kept(cx, kept))
    }
}

impl<S, Request, C, D, R> OfPolicy for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
}

impl<S, Request, C, D, R> PolicyFuture for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    fn poll_kept(self: Pin<&mut Self>, cx: &mut Context<'_>, kept: &mut PolicyKept) -> Poll<Self::Output> {
        if self.keeps() { self.poll_to_be_kept(cx, kept) } else { self.poll(cx) }
    }
}

/// How an attempt is polled, and what becomes of it if another one follows.
pub(super) trait PollAttempt<'a> {
    fn poll<F, L, C, T, E>(
        &mut self,
        call: Pin<&mut CallState<Policy, F, L>>,
        policy: &'a Policy,
        classifier: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<Policy, F, E>,
        C: Classify<T, E>,
        E: StackError;

    /// Another one follows.
    fn end(&mut self) {}
}

/// An attempt ends with its response. A type without content: what an attempt keeps would cost those that keep nothing.
pub(super) struct EndsWithResponse;

impl<'a> PollAttempt<'a> for EndsWithResponse {
    #[inline(always)]
    fn poll<F, L, C, T, E>(
        &mut self,
        call: Pin<&mut CallState<Policy, F, L>>,
        policy: &'a Policy,
        classifier: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<Policy, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        call.poll(policy, classifier, cx)
    }
}

/// An attempt with a response goes on, in its body or in whatever else it returned.
#[derive(Default)]
pub(super) struct GoesOn<'a>(Option<EndedAttempt<'a>>);

impl<'a> GoesOn<'a> {
    /// The attempt that goes on.
    pub(super) fn take(&mut self) -> Option<EndedAttempt<'a>> {
        self.0.take()
    }
}

impl<'a> PollAttempt<'a> for GoesOn<'a> {
    fn poll<F, L, C, T, E>(
        &mut self,
        mut call: Pin<&mut CallState<Policy, F, L>>,
        policy: &'a Policy,
        classifier: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<Policy, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        let mut head = None;
        let poll = call.as_mut().poll_until::<true, _, _, _>(policy, classifier, cx, &mut head);
        if matches!(poll, Poll::Ready(Ok(_))) {
            self.0 = call.ticket().map(|ticket| EndedAttempt { policy, ticket, head });
        }
        poll
    }

    fn end(&mut self) {
        self.0 = None;
    }
}

/// An attempt that has a response and goes on in its body, unless it is dropped: because another one follows, or in a
/// panic. Then it has ended with what its head said.
pub(super) struct EndedAttempt<'a> {
    pub(super) policy: &'a Policy,
    pub(super) ticket: PolicyTicket,
    pub(super) head: Option<Verdict>,
}

impl EndedAttempt<'_> {
    /// It goes on; what it holds, and what its head said.
    pub(super) fn keep(self) -> (PolicyTicket, Option<Verdict>) {
        let kept = (self.ticket, self.head);
        std::mem::forget(self);
        kept
    }
}

impl Drop for EndedAttempt<'_> {
    fn drop(&mut self) {
        if let Some(head) = self.head {
            self.policy.settle(&self.ticket, head);
        }
        self.policy.release(&self.ticket);
    }
}
