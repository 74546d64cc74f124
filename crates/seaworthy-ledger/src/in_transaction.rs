//! What a ledger can do in a transaction of the caller's, if its store is where that runs.

use bytes::Bytes;
use seaworthy_store::random;

use crate::claim::Claim;
use crate::claimed_in::{ClaimedIn, FirstClaim};
use crate::completion::Completion;
use crate::completion_statement::CompletionStatement;
use crate::error::LedgerError;
use crate::held::SOONEST;
use crate::held_answer::Held;
use crate::ledger::Ledger;
use crate::request::ClaimRequest;
use crate::store::{Answer, Attempt, Holder, TransactionalStore};

impl<S: TransactionalStore> Ledger<S> {
    /// Records a key as done in the caller's own transaction, in one go and without a lease, for work that is wholly
    /// inside that transaction: both are committed, or neither is. Only the [first](ClaimedIn::First) may do it;
    /// everybody else gets its record.
    ///
    /// It waits for another transaction that records the same key, and then tells its outcome; for how long is the
    /// caller's to say (`lock_timeout` on Postgres), as is how long the statement may take. On SQLite begin the
    /// transaction with `BEGIN IMMEDIATE`: one that has read before it writes is refused, if another connection wrote
    /// in between. The tables must be there. There are examples in the modules of the two.
    ///
    /// # Errors
    /// [`LedgerError::Request`] if the request has a lease or a rank, which mean nothing here, or a setting that cannot
    /// be used; [`LedgerError::Store`] else, after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn claim_in(
        &self,
        connection: &mut S::Connection,
        request: impl Into<ClaimRequest>,
    ) -> Result<ClaimedIn, LedgerError> {
        let request = request.into();
        request.check_without_lease()?;
        request.check_fingerprint()?;
        let ClaimRequest { key, keep, fingerprint, .. } = request;
        let lease = self.0.settings.lease;
        let keep = self.keep_of(lease, keep)?;
        let attempt = Attempt { key, owner: random::unique(), lease, fingerprint, rank: None };
        let answer = self.store().claim_in(connection, &attempt, keep).await?;
        let Attempt { key, owner, .. } = attempt;
        Ok(match answer {
            Answer::Granted { fence, .. } => ClaimedIn::First(FirstClaim(Holder { key, fence, owner })),
            Answer::Busy { left } => ClaimedIn::Busy { retry_in: left.max(SOONEST) },
            Answer::Done(record) => ClaimedIn::Done(record),
            Answer::Mismatch => ClaimedIn::Mismatch,
        })
    }

    /// Adds a result to what [`claim_in`](Ledger::claim_in) recorded, which everybody gets who claims the key from the
    /// commit on. Once, and in the same transaction: in another one it is [`Held::Lost`] on Postgres and changes
    /// nothing, and SQLite cannot tell.
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`]; [`LedgerError::Store`], after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn store_in(
        &self,
        connection: &mut S::Connection,
        first: &FirstClaim,
        result: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<Held, LedgerError> {
        let result = result.into();
        self.0.settings.check_result(result.len())?;
        Ok(self.store().store_in(connection, &first.0, &result, content_type).await?)
    }
}

impl<S: TransactionalStore> Claim<S> {
    /// Writes the completion in the caller's own transaction: it and what was done there are recorded together, or not
    /// at all. The commit is the caller's; after it, [`settled`](Claim::settled) says so. [`Held::Lost`] means that the
    /// caller must roll back: somebody else has the key, or it was completed already.
    ///
    /// The row (on SQLite the file) is locked until the transaction ends. Rolled back, the claim runs as before. On
    /// SQLite begin the transaction with `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`]; [`LedgerError::Store`], after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn complete_in(
        &self,
        connection: &mut S::Connection,
        completion: impl Into<Completion>,
    ) -> Result<Held, LedgerError> {
        let settlement = self.checked(completion.into())?;
        let held = self.ledger.store().complete_in(connection, &self.holder, &settlement).await?;
        // From the commit on a renewal says that there is nothing to renew.
        self.is_settling(held.is_yes());
        Ok(held)
    }

    /// The statement that completes the claim with a result, and its parameters, for other drivers: see
    /// [`CompletionStatement`].
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`].
    pub fn completion(&self, result: impl Into<Bytes>, content_type: &str) -> Result<CompletionStatement, LedgerError> {
        let result = result.into();
        self.ledger.0.settings.check_result(result.len())?;
        Ok(self.ledger.store().completion(&self.holder, result, content_type, self.keep()))
    }
}
