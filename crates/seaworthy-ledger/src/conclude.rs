use crate::claim::Claim;
use crate::completion::Completion;
use crate::error::LedgerError;
use crate::event::Event;
use crate::held_answer::Held;
use crate::store::LedgerStore;
use crate::unsettled::Unsettled;

/// What is to be recorded of a call.
#[derive(Debug)]
pub(crate) enum Conclusion {
    Complete(Completion),
    /// It was done, and its answer cannot be kept, for this reason.
    NotEncoded(String),
    Fail(String),
    /// The inner service was not called.
    Release,
}

/// Records it. If the store is down that goes on in the background, so that the caller has the answer now.
pub(crate) async fn conclude<S: LedgerStore>(claim: Claim<S>, conclusion: Conclusion) -> Held {
    let recorded = match conclusion {
        Conclusion::Complete(completion) => match claim.complete(completion).await {
            Err(unsettled) if matches!(unsettled.error(), LedgerError::TooLarge { .. }) => {
                let (claim, error) = unsettled.into_parts();
                not_kept(claim, &error.to_string()).await
            }
            recorded => recorded,
        },
        Conclusion::NotEncoded(error) => not_kept(claim, &error).await,
        Conclusion::Fail(reason) => claim.fail(reason).await,
        Conclusion::Release => claim.release().await,
    };
    recorded.unwrap_or_else(|unsettled| {
        unsettled.keep_trying();
        Held::Yes
    })
}

/// It was done all the same, so it must not be done again.
pub(crate) async fn not_kept<S: LedgerStore>(claim: Claim<S>, error: &str) -> Result<Held, Unsettled<S>> {
    let shared = &claim.ledger.0;
    shared.notify(&Event::NotEncoded { ledger: &shared.name, key: claim.key(), error });
    claim.complete(Completion::not_kept()).await
}
