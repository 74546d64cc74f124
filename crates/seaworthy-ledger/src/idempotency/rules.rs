use std::panic::{AssertUnwindSafe, catch_unwind};

use seaworthy::StackError;
use seaworthy::observe::panic_text;
use seaworthy_store::ErrorClass;

use super::codec::Codec;
use super::error::IdempotencyError;
use super::final_if::FinalIf;
use super::on_down::OnDown;
use crate::claimed::Claimed;
use crate::completion::Completion;
use crate::conclude::Conclusion;
use crate::error::LedgerError;
use crate::event::Event;
use crate::held_claim::HeldClaim;
use crate::ledger::Ledger;
use crate::record::{Kept, Record};
use crate::store::LedgerStore;

/// What a layer was told, for its services and their calls.
#[derive(Clone)]
pub(super) struct Rules<S, C, F, G> {
    pub(super) ledger: Ledger<S>,
    pub(super) codec: C,
    pub(super) final_if: F,
    pub(super) give: G,
    pub(super) on_down: OnDown,
}

impl<S, C, F, G> Rules<S, C, F, G> {
    /// Whether the inner service is called although the ledger gave no claim.
    fn proceeds(&self, error: &LedgerError) -> bool {
        let is_down = matches!(error.class(), Some(ErrorClass::Unavailable | ErrorClass::Full));
        is_down && self.on_down == OnDown::Proceed
    }

    /// How a call goes on after its claim was answered: under a claim, or without one while the store is down; or it
    /// ends.
    pub(super) fn begin<T, E>(
        &self,
        answer: Result<Claimed<S>, LedgerError>,
    ) -> Result<Option<HeldClaim<S>>, Result<T, E>>
    where
        S: LedgerStore,
        C: Codec<T>,
        E: From<IdempotencyError>,
    {
        let ended = match answer {
            Ok(Claimed::Mine(claim)) => return Ok(Some(HeldClaim::new(claim))),
            Ok(Claimed::Done(record)) => self.replay(record),
            Ok(Claimed::Busy { retry_in }) => Err(IdempotencyError::Busy { retry_in }),
            Ok(Claimed::Mismatch) => Err(IdempotencyError::Mismatch),
            Err(error) if self.proceeds(&error) => {
                let shared = &self.ledger.0;
                shared.notify(&Event::Proceeded { ledger: &shared.name });
                return Ok(None);
            }
            Err(error) => Err(error.into()),
        };
        Err(ended.map_err(E::from))
    }

    /// The answer that was kept.
    fn replay<T>(&self, record: Record) -> Result<T, IdempotencyError>
    where
        C: Codec<T>,
    {
        match record.kept {
            Kept::Result { bytes, .. } => {
                self.codec.decode(&bytes).map_err(|error| IdempotencyError::Corrupt { error })
            }
            Kept::Nothing => self.codec.not_kept().ok_or(IdempotencyError::NotKept),
            Kept::Failed(reason) => Err(IdempotencyError::FailedBefore { reason }),
        }
    }

    /// What is to be recorded of this outcome.
    pub(super) fn conclude<T, E>(&self, outcome: &Result<T, E>) -> Conclusion
    where
        C: Codec<T>,
        F: FinalIf<T, E>,
        E: StackError + std::fmt::Display,
    {
        match outcome {
            Err(error) if error.is_before_call() => Conclusion::Release,
            Ok(answer) if self.final_if.is_final(outcome) => {
                // The work is done, so a codec that panics must not have it done again.
                let encoded = catch_unwind(AssertUnwindSafe(|| self.codec.encode(answer)));
                let encoded = encoded.map_err(panic_text).and_then(|kept| kept.map_err(|error| error.to_string()));
                match encoded {
                    Ok(kept) => Conclusion::Complete(Completion::new(kept).content_type(self.codec.content_type())),
                    Err(error) => Conclusion::NotEncoded(error),
                }
            }
            Err(error) if self.final_if.is_final(outcome) => {
                Conclusion::Complete(Completion::failed_for_good(in_words(error)))
            }
            Ok(_) => Conclusion::Fail("the answer was not final".to_owned()),
            Err(error) => Conclusion::Fail(in_words(error)),
        }
    }
}

/// An error of a stack leaves the text of a rejection to its source.
fn in_words<E: StackError + std::fmt::Display>(error: &E) -> String {
    let mut text = error.to_string();
    if let Some(rejected) = error.rejected() {
        let rejected = rejected.to_string();
        if !text.contains(&rejected) {
            text = format!("{text}: {rejected}");
        }
    }
    text
}
