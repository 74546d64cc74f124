use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use seaworthy::StackError;
use tower_service::Service;

use super::codec::Codec;
use super::error::IdempotencyError;
use super::final_if::FinalIf;
use super::give_claim::GiveClaim;
use super::rules::Rules;
use crate::caught::polled_again;
use crate::claim::Claim;
use crate::claimed::Claimed;
use crate::conclude::{Conclusion, conclude};
use crate::error::LedgerError;
use crate::held_answer::Held;
use crate::held_claim::HeldClaim;
use crate::request::ClaimRequest;
use crate::store::LedgerStore;

type Recording = Pin<Box<dyn Future<Output = Held> + Send>>;
type Asking<S> = Pin<Box<dyn Future<Output = Result<Claimed<S>, LedgerError>> + Send>>;

pin_project! {
    /// A call with a key from its claim to the record of its outcome; or one without, whose service is not ready yet.
    pub(super) struct GuardedCall<S, R, L, C, F, G>
    where
        G: GiveClaim<R, L>,
        S: Service<G::Request>,
        L: LedgerStore,
    {
        rules: Arc<Rules<L, C, F, G>>,
        #[pin]
        stage: Stage<S, R, G::Request, S::Future, L, Result<S::Response, S::Error>>,
    }
}

pin_project! {
    /// In each, what may be foreign is dropped before the claim is given back.
    #[project = StageProj]
    enum Stage<S, R, Q, F, L: LedgerStore, O> {
        Claiming { asking: Asking<L>, waiting: Option<(S, R)> },
        // Without a claim for a request that goes on without one.
        Readying { waiting: Option<(S, Q)>, held: Option<HeldClaim<L>> },
        Calling { #[pin] inner: F, held: Option<HeldClaim<L>> },
        Recording { recording: Recording, outcome: Option<O> },
        Over,
    }
}

impl<S, R, L, C, F, G> GuardedCall<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    L: LedgerStore,
{
    /// Claims what is asked for, then goes on with the service, which is not ready.
    pub(super) fn claiming(rules: Arc<Rules<L, C, F, G>>, claim: ClaimRequest, service: S, request: R) -> Self {
        let ledger = rules.ledger.clone();
        let asking: Asking<L> = Box::pin(async move { ledger.claim(claim).await });
        GuardedCall { rules, stage: Stage::Claiming { asking, waiting: Some((service, request)) } }
    }

    /// Makes the service ready, and calls it without a claim.
    pub(super) fn unclaimed(rules: Arc<Rules<L, C, F, G>>, service: S, request: G::Request) -> Self {
        GuardedCall { rules, stage: Stage::Readying { waiting: Some((service, request)), held: None } }
    }
}

impl<S, R, L, C, F, G> Future for GuardedCall<S, R, L, C, F, G>
where
    G: GiveClaim<R, L>,
    S: Service<G::Request>,
    S::Error: StackError + From<IdempotencyError> + Display,
    L: LedgerStore,
    C: Codec<S::Response>,
    F: FinalIf<S::Response, S::Error>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (rules, mut stage) = (&**this.rules, this.stage);
        loop {
            match stage.as_mut().project() {
                StageProj::Claiming { asking, waiting } => {
                    let answer = ready!(asking.as_mut().poll(cx));
                    let waiting = waiting.take();
                    stage.set(Stage::Over);
                    let held = match rules.begin(answer) {
                        Ok(held) => held,
                        Err(ended) => return Poll::Ready(ended),
                    };
                    let waiting = waiting.map(|(service, request)| {
                        (service, rules.give.give(request, held.as_ref().and_then(HeldClaim::work)))
                    });
                    stage.set(Stage::Readying { waiting, held });
                }
                StageProj::Readying { waiting, held } => {
                    // In our hands while foreign code runs, which may panic; then they are given back.
                    let Some((mut service, request)) = waiting.take() else { polled_again("`ResponseFuture`") };
                    let mut mine = held.take();
                    if mine.as_ref().is_some_and(HeldClaim::is_lost) {
                        stage.set(Stage::Over);
                        return Poll::Ready(Err(IdempotencyError::Lost.into()));
                    }
                    match service.poll_ready(cx) {
                        Poll::Pending => {
                            if mine.as_mut().is_some_and(|mine| mine.poll_lost(cx).is_ready()) {
                                stage.set(Stage::Over);
                                return Poll::Ready(Err(IdempotencyError::Lost.into()));
                            }
                            (*waiting, *held) = (Some((service, request)), mine);
                            return Poll::Pending;
                        }
                        Poll::Ready(Err(error)) => {
                            let Some(claim) = mine.and_then(HeldClaim::into_claim) else {
                                stage.set(Stage::Over);
                                return Poll::Ready(Err(error));
                            };
                            drop(service);
                            let recording = record(claim, Conclusion::Release);
                            stage.set(Stage::Recording { recording, outcome: Some(Err(error)) });
                        }
                        Poll::Ready(Ok(())) => {
                            mine.iter_mut().for_each(HeldClaim::begin);
                            match catch_unwind(AssertUnwindSafe(|| service.call(request))) {
                                Ok(inner) => stage.set(Stage::Calling { inner, held: mine }),
                                Err(panic) => {
                                    mine.iter_mut().for_each(|mine| mine.fail_with(&*panic));
                                    drop(service);
                                    resume_unwind(panic)
                                }
                            }
                        }
                    }
                }
                StageProj::Calling { inner, held } => {
                    if held.as_ref().is_some_and(HeldClaim::is_lost) {
                        let held = held.take();
                        stage.set(Stage::Over);
                        // Left to whoever has it, or to its lease.
                        drop(held.and_then(HeldClaim::into_claim));
                        return Poll::Ready(Err(IdempotencyError::Lost.into()));
                    }
                    let judged = catch_unwind(AssertUnwindSafe(|| {
                        inner.poll(cx).map(|outcome| {
                            let conclusion = held.is_some().then(|| rules.conclude(&outcome));
                            (outcome, conclusion)
                        })
                    }));
                    let (outcome, conclusion) = match judged {
                        Ok(Poll::Ready(judged)) => judged,
                        Ok(Poll::Pending) => {
                            if held.as_mut().is_some_and(|held| held.poll_lost(cx).is_ready()) {
                                continue;
                            }
                            return Poll::Pending;
                        }
                        Err(panic) => {
                            let mut held = held.take();
                            held.iter_mut().for_each(|held| held.fail_with(&*panic));
                            stage.set(Stage::Over);
                            drop(held);
                            resume_unwind(panic)
                        }
                    };
                    let held = held.take();
                    // What the call still has is given back before anybody else can have the key.
                    stage.set(Stage::Over);
                    let claim = held.and_then(HeldClaim::into_claim);
                    let Some((claim, conclusion)) = claim.zip(conclusion) else { return Poll::Ready(outcome) };
                    stage.set(Stage::Recording { recording: record(claim, conclusion), outcome: Some(outcome) });
                }
                StageProj::Recording { recording, outcome } => {
                    let held = ready!(recording.as_mut().poll(cx));
                    let outcome = outcome.take();
                    stage.set(Stage::Over);
                    return Poll::Ready(match outcome {
                        // Somebody else has the key, and theirs is the answer that will be kept.
                        Some(Ok(_)) if !held.is_yes() => Err(IdempotencyError::Lost.into()),
                        Some(outcome) => outcome,
                        None => polled_again("`ResponseFuture`"),
                    });
                }
                StageProj::Over => polled_again("`ResponseFuture`"),
            }
        }
    }
}

fn record<S: LedgerStore>(claim: Claim<S>, conclusion: Conclusion) -> Recording {
    Box::pin(conclude(claim, conclusion))
}
