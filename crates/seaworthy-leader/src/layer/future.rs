use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use seaworthy::{Rejected, Shutdown, StackError};
use tower_service::Service;

use super::service::not_leader;
use crate::epoch::Epoch;
use crate::guard::LeaderWatch;

type StateOf<S, Q> = State<S, Q, <S as Service<Q>>::Future, <S as Service<Q>>::Response>;

type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

pin_project! {
    /// The response future of [`LeaderService`](super::LeaderService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner call.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Q>
    where
        S: Service<Q>,
    {
        #[pin]
        state: StateOf<S, Q>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, Q, F, T> {
        Calling { #[pin] inner: F, loss: Option<Loss> },
        Readying { call: Option<Box<Unready<S, Q>>> },
        Rejected { rejected: Option<Rejected> },
        Answered { answer: Option<T> },
        Over,
    }
}

/// With [`OnLoss::Cancel`](crate::OnLoss::Cancel).
struct Loss {
    ended: Ended,
    watch: LeaderWatch,
}

/// A call that was let in, and waits for a clone of the inner service.
struct Unready<S, Q> {
    service: S,
    request: Option<Q>,
    epoch: Epoch,
    ended: Option<Shutdown>,
    watch: LeaderWatch,
}

#[inline]
fn loss(ended: Option<Shutdown>, watch: &LeaderWatch) -> Option<Loss> {
    ended.map(|ended| Loss { ended: Box::pin(ended.requested_owned()), watch: watch.clone() })
}

impl<S: Service<Q>, Q> ResponseFuture<S, Q> {
    #[inline]
    pub(super) fn calling(inner: S::Future, ended: Option<Shutdown>, watch: &LeaderWatch) -> ResponseFuture<S, Q> {
        ResponseFuture { state: State::Calling { inner, loss: loss(ended, watch) } }
    }

    pub(super) fn readying(
        service: S,
        request: Q,
        epoch: Epoch,
        ended: Option<Shutdown>,
        watch: &LeaderWatch,
    ) -> ResponseFuture<S, Q> {
        let call = Unready { service, request: Some(request), epoch, ended, watch: watch.clone() };
        ResponseFuture { state: State::Readying { call: Some(Box::new(call)) } }
    }

    pub(super) fn rejected(rejected: Rejected) -> ResponseFuture<S, Q> {
        ResponseFuture { state: State::Rejected { rejected: Some(rejected) } }
    }

    pub(super) fn answered(answer: S::Response) -> ResponseFuture<S, Q> {
        ResponseFuture { state: State::Answered { answer: Some(answer) } }
    }
}

impl<S, Q> Future for ResponseFuture<S, Q>
where
    S: Service<Q>,
    S::Error: StackError,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        // Most calls.
        if let StateProj::Calling { inner, loss: None } = state.as_mut().project() {
            return inner.poll(cx);
        }
        poll_others(state, cx)
    }
}

fn poll_others<S, Q>(mut state: Pin<&mut StateOf<S, Q>>, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>>
where
    S: Service<Q>,
    S::Error: StackError,
{
    loop {
        match state.as_mut().project() {
            StateProj::Calling { inner, loss } => {
                if let Some(Loss { ended, watch }) = loss
                    && ended.as_mut().poll(cx).is_ready()
                {
                    let name = watch.name().clone();
                    state.set(State::Over);
                    return Poll::Ready(Err(Rejected::Withdrawn { name }.into()));
                }
                return inner.poll(cx);
            }
            StateProj::Readying { call } => {
                let Some(unready) = call else { return Poll::Pending };
                // The inner service is not called under an epoch that is over.
                let leads = |unready: &Unready<S, Q>| unready.watch.epoch() == Some(unready.epoch);
                let readied = if leads(unready) { ready!(unready.service.poll_ready(cx)) } else { Ok(()) };
                let taken = call.take();
                state.set(match (readied, taken) {
                    (Err(error), _) => {
                        state.set(State::Over);
                        return Poll::Ready(Err(error));
                    }
                    (Ok(()), Some(mut unready)) if leads(&unready) => match unready.request.take() {
                        Some(request) => {
                            let inner = unready.service.call(request);
                            State::Calling { inner, loss: loss(unready.ended.take(), &unready.watch) }
                        }
                        None => State::Over,
                    },
                    _ => State::Rejected { rejected: Some(not_leader()) },
                });
            }
            StateProj::Rejected { rejected } => {
                return rejected.take().map_or(Poll::Pending, |rejected| Poll::Ready(Err(rejected.into())));
            }
            StateProj::Answered { answer } => {
                return answer.take().map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer)));
            }
            StateProj::Over => return Poll::Pending,
        }
    }
}
