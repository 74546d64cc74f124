//! In a caller's transaction, on a caller's connection: what the work does to the same database and the record of it
//! are committed together or not at all.
//!
//! Nothing is prepared on that connection, because there may be a pooler behind it, and no limit is set: how long to
//! wait for a row is the transaction's to say (`lock_timeout`). After an error the transaction can only be rolled back.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::{Statement, store_error};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, PgConnection};

use crate::completion_statement::CompletionStatement;
use crate::held_answer::Held;
use crate::key::Key;
use crate::postgres::claim::{IN_MOTION, SENDS, answer};
use crate::postgres::engine::Postgres;
use crate::postgres::micros;
use crate::postgres::rows::Read;
use crate::postgres::settle::{Columns, bind};
use crate::store::{Answer, Holder, Settlement};

impl Postgres {
    /// Ends a claim in the caller's transaction. The row is locked until that ends; rolled back, the claim runs as
    /// before.
    ///
    /// [`Held::Lost`] means that the caller must roll back. It is also the answer for a claim that is settled already,
    /// even by this holder: what the transaction did beside it would otherwise be done twice.
    ///
    /// # Errors
    /// Those of the store, of which 40001 and 40P01 are not repeated here: the whole transaction has to be.
    ///
    /// # Cancellation
    /// Dropping it leaves the connection with an answer that is out; the transaction rolls back as the driver does.
    pub async fn complete_in(
        &self,
        connection: &mut PgConnection,
        holder: &Holder,
        settlement: &Settlement,
    ) -> Result<Held, StoreError> {
        let Ok(fence) = i64::try_from(holder.fence) else { return Ok(Held::Lost) };
        let columns = Columns::of(settlement);
        let mut arguments = PgArguments::default();
        let bound = bind(&mut arguments, holder, fence, &columns);
        let rows = run(connection, "complete_in", &self.statements.settle_in, arguments, bound).await?;
        Ok(if rows.is_empty() { Held::Lost } else { Held::Yes })
    }

    /// Records a key as done in the caller's transaction, in one go and without a lease, for work that is wholly inside
    /// that transaction. [`Answer::Granted`] means that it is the first, and gives the fence that
    /// [`store_in`](Postgres::store_in) needs.
    ///
    /// It waits for another transaction that records the same key, and then tells its outcome. A key that failed or
    /// whose lease is over is taken; one that runs is [`Answer::Busy`].
    ///
    /// # Errors
    /// As [`complete_in`](Postgres::complete_in).
    ///
    /// # Cancellation
    /// As [`complete_in`](Postgres::complete_in).
    pub async fn claim_in(
        &self,
        connection: &mut PgConnection,
        key: &Key,
        owner: u128,
        fingerprint: Option<&Bytes>,
        keep: Option<Duration>,
    ) -> Result<Answer, StoreError> {
        for _ in 0..SENDS {
            let mut arguments = PgArguments::default();
            let bound = (|| {
                arguments.add(key.scope())?;
                arguments.add(key.value())?;
                arguments.add(owner.to_be_bytes())?;
                arguments.add(keep.map(micros::of))?;
                arguments.add(fingerprint.map(|fingerprint| &**fingerprint))
            })();
            let rows = run(connection, "claim_in", &self.statements.claim_in, arguments, bound).await?;
            if let Some(answer) = answer(Read::first("claim_in", &rows)?)? {
                return Ok(answer);
            }
        }
        Ok(Answer::Busy { left: IN_MOTION })
    }

    /// Adds a result to what [`claim_in`](Postgres::claim_in) recorded, before the commit. After it, and for anybody
    /// else, it is [`Held::Lost`] and changes nothing.
    ///
    /// # Errors
    /// As [`complete_in`](Postgres::complete_in).
    ///
    /// # Cancellation
    /// As [`complete_in`](Postgres::complete_in).
    pub async fn store_in(
        &self,
        connection: &mut PgConnection,
        holder: &Holder,
        result: &Bytes,
        content_type: &str,
    ) -> Result<Held, StoreError> {
        let Ok(fence) = i64::try_from(holder.fence) else { return Ok(Held::Lost) };
        let mut arguments = PgArguments::default();
        let bound = (|| {
            arguments.add(holder.key.scope())?;
            arguments.add(holder.key.value())?;
            arguments.add(fence)?;
            arguments.add(holder.owner.to_be_bytes())?;
            arguments.add(&**result)?;
            arguments.add(content_type)
        })();
        let rows = run(connection, "store_in", &self.statements.store_in, arguments, bound).await?;
        Ok(if rows.is_empty() { Held::Lost } else { Held::Yes })
    }

    /// The statement that completes a claim with a result, and its parameters, for other drivers.
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
            // One that does not fit was never given out, and no row has the one below zero.
            fence: i64::try_from(holder.fence).unwrap_or(-1),
            owner: holder.owner.to_be_bytes(),
            result,
            content_type: content_type.to_owned(),
            keep_us: keep.map(micros::of),
        }
    }
}

async fn run(
    connection: &mut PgConnection,
    asked: &'static str,
    statement: &Statement,
    arguments: PgArguments,
    bound: Result<(), BoxDynError>,
) -> Result<Vec<PgRow>, StoreError> {
    let failed = |error| store_error(asked, error);
    bound.map_err(|error| failed(sqlx::Error::Encode(error)))?;
    let query = sqlx::query_with(statement.sql(), arguments).persistent(false);
    query.fetch_all(connection).await.map_err(failed)
}
