use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::call_state::CallState;
use super::classify::Classify;
use super::late::{Late, PollLate};
use super::{Admission, KeptCall};
use crate::error::StackError;

pin_project! {
    /// A call with what it needs until its end: the response future of a pattern.
    pub(crate) struct AdmissionCall<A, F, L, C>
    where
        A: Admission,
        L: Late<A>,
    {
        #[pin]
        pub(crate) state: CallState<A, F, L>,
        // Without it, the call was refused.
        pub(crate) held: Option<(A, C)>,
    }

    impl<A, F, L, C> PinnedDrop for AdmissionCall<A, F, L, C>
    where
        A: Admission,
        L: Late<A>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some((admission, _)) = this.held {
                this.state.abandon(admission);
            }
        }
    }
}

impl<A: Admission, F, L: Late<A>, C> AdmissionCall<A, F, L, C> {
    /// A call that was let in, with its handle and classifier, or refused.
    #[inline(always)]
    pub(crate) fn new(state: CallState<A, F, L>, held: Option<(A, C)>) -> Self {
        AdmissionCall { state, held }
    }

    pub(crate) fn state(&self) -> &CallState<A, F, L> {
        &self.state
    }

    /// Like `poll`, but `kept` has what is held by a call that goes on in its response body. Apart from `poll`, which
    /// would be slower if it were this one.
    pub(crate) fn poll_keeping<T, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        kept: &mut Option<KeptCall<A>>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<A, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        let mut this = self.project();
        let Some((admission, classifier)) = this.held else {
            return Poll::Ready(Err(this.state.take_rejection().into()));
        };
        if !admission.keeps() {
            return this.state.poll(admission, classifier, cx);
        }
        let mut head = None;
        let poll = this.state.as_mut().poll_until::<true, _, _, _>(admission, classifier, cx, &mut head);
        if matches!(poll, Poll::Ready(Ok(_))) {
            let ticket = this.state.ticket();
            *kept = this.held.take().and_then(|(admission, _)| Some(KeptCall { admission, ticket: ticket?, head }));
        }
        poll
    }

    /// Gives up a call that is running; returns its handle.
    #[cold]
    pub(crate) fn abandon(self: Pin<&mut Self>) -> Option<&A> {
        let this = self.project();
        let (admission, _) = this.held.as_ref()?;
        this.state.abandon(admission);
        Some(admission)
    }
}

impl<A, F, L, C, T, E> Future for AdmissionCall<A, F, L, C>
where
    A: Admission,
    F: Future<Output = Result<T, E>>,
    L: PollLate<A, F, E>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.held {
            Some((admission, classifier)) => this.state.poll(admission, classifier, cx),
            None => Poll::Ready(Err(this.state.take_rejection().into())),
        }
    }
}
