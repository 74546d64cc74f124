//! In a caller's transaction, on a caller's connection: what the work does to the same database and the record of it
//! are committed together or not at all.
//!
//! Nothing is prepared on that connection, because there may be a pooler behind it, and no limit is set: how long to
//! wait for a row is the transaction's to say (`lock_timeout`). After an error the transaction can only be rolled back.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::micros;
use seaworthy_store::postgres::{Read, Statement, store_error};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, PgConnection};

use crate::held_answer::Held;
use crate::postgres::claim::{IN_MOTION, SENDS, answer};
use crate::postgres::engine::Postgres;
use crate::postgres::settle::{Columns, bind};
use crate::store::{Answer, Attempt, Holder, Settlement, TransactionalStore};

impl TransactionalStore for Postgres {
    type Connection = PgConnection;

    async fn complete_in(
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

    async fn claim_in(
        &self,
        connection: &mut PgConnection,
        attempt: &Attempt,
        keep: Option<Duration>,
    ) -> Result<Answer, StoreError> {
        for _ in 0..SENDS {
            let mut arguments = PgArguments::default();
            let bound = (|| {
                arguments.add(attempt.key.scope())?;
                arguments.add(attempt.key.value())?;
                arguments.add(attempt.owner.to_be_bytes())?;
                arguments.add(keep.map(micros::of))?;
                arguments.add(attempt.fingerprint.as_deref())
            })();
            let rows = run(connection, "claim_in", &self.statements.claim_in, arguments, bound).await?;
            if let Some(answer) = answer(Read::first("claim_in", &rows)?)? {
                return Ok(answer);
            }
        }
        Ok(Answer::Busy { left: IN_MOTION })
    }

    async fn store_in(
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

    fn completion_text(&self) -> &str {
        self.statements.completion.as_str()
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
