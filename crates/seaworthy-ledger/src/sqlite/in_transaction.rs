//! In a caller's transaction, on a caller's connection: what the work does to the same file and the record of it are
//! committed together or not at all.
//!
//! The file is locked from the first statement to the transaction's end. Begin it with `BEGIN IMMEDIATE`: SQLite
//! refuses one that has read before it writes, if another connection wrote in between. The tables must be there, which
//! they are after any other request, or [`Sqlite::migrate`].

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::sqlite::classified;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as};

use crate::completion_statement::CompletionStatement;
use crate::held_answer::Held;
use crate::key::Key;
use crate::sqlite::claim::{forget_steps, look};
use crate::sqlite::engine::Sqlite;
use crate::sqlite::moment::micros;
use crate::sqlite::row::{Decision, decide, number};
use crate::sqlite::settling::{end, fence, held, owner};
use crate::store::{Answer, Attempt, Holder, Settlement};

impl Sqlite {
    /// Ends a claim in the caller's transaction. Rolled back, the claim runs as before.
    ///
    /// [`Held::Lost`] means that the caller must roll back. It is also the answer for a claim that is settled already,
    /// even by this holder: what the transaction did beside it would otherwise be done twice.
    ///
    /// # Errors
    /// The driver's own, in its class.
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn complete_in(
        &self,
        connection: &mut SqliteConnection,
        holder: &Holder,
        settlement: &Settlement,
    ) -> Result<Held, StoreError> {
        let ended = end(&self.statements, connection, holder, settlement, self.store.now()).await;
        Ok(held(ended.map_err(|error| classified("complete_in", error))?))
    }

    /// Records a key as done in the caller's transaction, in one go and without a lease, for work that is wholly inside
    /// that transaction. [`Answer::Granted`] means that it is the first, and gives the fence that
    /// [`store_in`](Sqlite::store_in) needs.
    ///
    /// Another transaction with the same key waits for this one to end, and then sees its outcome. A key that failed or
    /// whose lease is over is taken; one that runs is [`Answer::Busy`].
    ///
    /// # Errors
    /// The driver's own, in its class.
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn claim_in(
        &self,
        connection: &mut SqliteConnection,
        key: &Key,
        owner: u128,
        fingerprint: Option<&Bytes>,
        keep: Option<Duration>,
    ) -> Result<Answer, StoreError> {
        let fingerprint = fingerprint.cloned();
        let attempt = Attempt { key: key.clone(), owner, lease: Duration::ZERO, fingerprint, rank: None };
        if let Some(answer) = self.first_in(connection, &attempt, keep).await? {
            return Ok(answer);
        }
        // Now that the lock is there: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        match decide(look(&self.statements, "claim_in", key, connection).await?, &attempt, now)? {
            Decision::Answer(answer) => Ok(answer),
            Decision::Grant { counts, forgets_steps } => {
                if forgets_steps {
                    forget_steps(&self.statements, key, connection).await?;
                }
                self.again_in(connection, &attempt, keep, now, counts).await
            }
        }
    }

    /// None if there is a row already.
    async fn first_in(
        &self,
        connection: &mut SqliteConnection,
        attempt: &Attempt,
        keep: Option<Duration>,
    ) -> Result<Option<Answer>, StoreError> {
        let now = self.store.now();
        let first: Option<(i64, i64)> = query_as(self.statements.claim_in.clone())
            .bind(attempt.key.scope())
            .bind(attempt.key.value())
            .bind(owner(attempt.owner))
            .bind(now)
            .bind(expires_at(now, keep))
            .bind(attempt.fingerprint.as_deref())
            .fetch_optional(connection)
            .await
            .map_err(|error| classified("claim_in", error))?;
        first.map(granted).transpose()
    }

    async fn again_in(
        &self,
        connection: &mut SqliteConnection,
        attempt: &Attempt,
        keep: Option<Duration>,
        now: i64,
        counts: bool,
    ) -> Result<Answer, StoreError> {
        let again: (i64, i64) = query_as(self.statements.claim_again_in.clone())
            .bind(attempt.key.scope())
            .bind(attempt.key.value())
            .bind(owner(attempt.owner))
            .bind(now)
            .bind(expires_at(now, keep))
            .bind(attempt.fingerprint.as_deref())
            .bind(counts)
            .fetch_one(connection)
            .await
            .map_err(|error| classified("claim_in", error))?;
        granted(again)
    }

    /// Adds a result to what [`claim_in`](Sqlite::claim_in) recorded, once, and before the commit. For anybody else it
    /// is [`Held::Lost`] and changes nothing.
    ///
    /// # Errors
    /// The driver's own, in its class.
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn store_in(
        &self,
        connection: &mut SqliteConnection,
        holder: &Holder,
        result: &Bytes,
        content_type: &str,
    ) -> Result<Held, StoreError> {
        let stored = query(self.statements.store_in.clone())
            .bind(holder.key.scope())
            .bind(holder.key.value())
            .bind(fence(holder))
            .bind(owner(holder.owner))
            .bind(&**result)
            .bind(content_type)
            .execute(connection)
            .await
            .map_err(|error| classified("store_in", error))?;
        Ok(held(stored.rows_affected() == 1))
    }

    /// The statement that completes a claim, and its parameters, for other drivers.
    #[must_use]
    pub fn completion(
        &self,
        holder: &Holder,
        result: Bytes,
        content_type: &str,
        keep: Option<Duration>,
    ) -> CompletionStatement {
        CompletionStatement {
            text: self.statements.completion.as_str().into(),
            scope: holder.key.scope().to_owned(),
            key: holder.key.value().to_owned(),
            fence: fence(holder),
            owner: holder.owner.to_be_bytes(),
            result,
            content_type: content_type.to_owned(),
            keep_us: keep.map(micros),
        }
    }
}

fn granted((fence, grants): (i64, i64)) -> Result<Answer, StoreError> {
    Ok(Answer::Granted { fence: number("claim_in", fence)?, grants: number("claim_in", grants)? })
}

fn expires_at(now: i64, keep: Option<Duration>) -> Option<i64> {
    keep.map(|keep| now.saturating_add(micros(keep)))
}
