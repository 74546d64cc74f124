use std::time::Duration;

use seaworthy_store::StoreError;
use seaworthy_store::sqlite::Lease;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{SqlStr, Sqlite as Driver, query, query_scalar};

use super::engine::Sqlite;
use super::row::{failed, fence, later, owner};
use crate::store::{Held, Holder, Settlement};

impl Sqlite {
    pub(super) async fn extended(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        let mut writing = self.store.writing("extend").await?;
        let lease = Lease::starting(self.store.now(), visibility);
        let mut all = Vec::with_capacity(holders.len());
        for holder in holders {
            let extend = self.of(&self.statements.extend, holder).bind(lease.from).bind(lease.until);
            let extended = extend.execute(writing.connection()).await.map_err(failed("extend"))?;
            all.push(held(extended.rows_affected()));
        }
        writing.commit().await?;
        Ok(all)
    }

    pub(super) async fn settled(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let mut writing = self.store.writing("settle").await?;
        // Not before: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        let held = self.end(writing.connection(), holder, settlement, now).await?;
        writing.commit().await?;
        Ok(held)
    }

    async fn end(
        &self,
        connection: &mut SqliteConnection,
        holder: &Holder,
        settlement: &Settlement,
        now: i64,
    ) -> Result<Held, StoreError> {
        let statements = &self.statements;
        let step = match settlement {
            Settlement::Ack { remember } => {
                let acked =
                    self.of(&statements.ack, holder).execute(&mut *connection).await.map_err(failed("settle"))?;
                let held = held(acked.rows_affected());
                if let (Held::Yes, Some(span)) = (held, remember) {
                    let remember = query(statements.remember.clone()).bind(self.queue.as_str());
                    let remember = remember.bind(holder.id.as_str()).bind(later(now, *span));
                    remember.execute(connection).await.map_err(failed("settle"))?;
                }
                return Ok(held);
            }
            Settlement::Dead { reason } => {
                let number = query_scalar(statements.held.clone())
                    .bind(self.queue.as_str())
                    .bind(holder.id.as_str())
                    .bind(fence(holder))
                    .bind(owner(holder.owner));
                let number = number.fetch_optional(&mut *connection).await.map_err(failed("settle"))?;
                let Some(number) = number else { return Ok(Held::Lost) };
                self.bury("settle", connection, number, Some(&holder.id), Some(reason), now).await?;
                return Ok(Held::Yes);
            }
            Settlement::Retry { after, reason } => {
                self.of(&statements.retry, holder).bind(later(now, *after)).bind(&**reason)
            }
            Settlement::Defer { after } => self.of(&statements.defer, holder).bind(later(now, *after)).bind(now),
            Settlement::Release => self.of(&statements.release, holder).bind(now),
        };
        let settled = step.execute(connection).await.map_err(failed("settle"))?;
        Ok(held(settled.rows_affected()))
    }

    /// A statement about the holder's job.
    fn of<'q>(&self, statement: &SqlStr, holder: &'q Holder) -> Query<'q, Driver, SqliteArguments> {
        query(statement.clone())
            .bind(self.queue.as_str().to_owned())
            .bind(holder.id.as_str())
            .bind(fence(holder))
            .bind(owner(holder.owner))
    }
}

fn held(rows: u64) -> Held {
    if rows == 1 { Held::Yes } else { Held::Lost }
}
