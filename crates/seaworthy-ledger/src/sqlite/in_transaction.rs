//! In a caller's transaction, on a caller's connection: what the work does to the same file and the record of it are
//! committed together or not at all.
//!
//! The file is locked from the first statement to the transaction's end. Begin it with `BEGIN IMMEDIATE`: SQLite
//! refuses one that has read before it writes, if another connection wrote in between. The tables must be there, which
//! they are after any other request, or [`Sqlite::migrate`].

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::micros;
use seaworthy_store::sqlite::classified;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as};

use crate::held_answer::Held;
use crate::sqlite::claim::{forget_steps, look};
use crate::sqlite::engine::Sqlite;
use crate::sqlite::row::{Decision, decide, number};
use crate::sqlite::settling::{end, fence, held, owner};
use crate::store::{Answer, Attempt, Holder, Settlement, TransactionalStore};

impl TransactionalStore for Sqlite {
    type Connection = SqliteConnection;

    async fn complete_in(
        &self,
        connection: &mut SqliteConnection,
        holder: &Holder,
        settlement: &Settlement,
    ) -> Result<Held, StoreError> {
        let ended = end(&self.statements, connection, holder, settlement, self.store.now()).await;
        Ok(held(ended.map_err(|error| classified("complete_in", error))?))
    }

    async fn claim_in(
        &self,
        connection: &mut SqliteConnection,
        attempt: &Attempt,
        keep: Option<Duration>,
    ) -> Result<Answer, StoreError> {
        if let Some(answer) = self.first_in(connection, attempt, keep).await? {
            return Ok(answer);
        }
        // Now that the lock is there: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        match decide(look(&self.statements, "claim_in", &attempt.key, connection).await?, attempt, now)? {
            Decision::Answer(answer) => Ok(answer),
            Decision::Grant { counts, forgets_steps } => {
                if forgets_steps {
                    forget_steps(&self.statements, &attempt.key, connection).await?;
                }
                self.again_in(connection, attempt, keep, now, counts).await
            }
        }
    }

    async fn store_in(
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

    fn completion_text(&self) -> &str {
        self.statements.completion.as_str()
    }
}

impl Sqlite {
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
}

fn granted((fence, grants): (i64, i64)) -> Result<Answer, StoreError> {
    Ok(Answer::Granted { fence: number("claim_in", fence)?, grants: number("claim_in", grants)? })
}

fn expires_at(now: i64, keep: Option<Duration>) -> Option<i64> {
    keep.map(|keep| now.saturating_add(micros::of(keep)))
}
