use std::time::Duration;

use seaworthy_store::postgres::{Read, Statement};
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::job_id::JobId;
use crate::postgres::engine::Postgres;
use crate::postgres::rows::{Parts, parts, small};
use crate::store::{DeadJob, DeadLetters};

/// What one statement of a sweep removes at most of each kind.
const AT_ONCE: u64 = 10_000;

impl DeadLetters for Postgres {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name())?;
            arguments.add(after.map(JobId::as_str))?;
            arguments.add(i64::from(most))
        };
        let rows = self.store.rows("list", &self.statements.dead_list, bind).await?;
        rows.iter().map(|row| dead(Read::of("list", row))).collect()
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name())?;
            arguments.add(id.as_str())
        };
        let rows = self.store.rows("get", &self.statements.dead_get, bind).await?;
        rows.first().map(|row| dead(Read::of("get", row))).transpose()
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name())?;
            arguments.add(id.as_str())?;
            arguments.add(self.notice())
        };
        let is_there = !self.store.rows("redrive", &self.statements.dead_redrive, bind).await?.is_empty();
        if is_there {
            self.changed();
        }
        Ok(is_there)
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name())?;
            arguments.add(id.as_str())
        };
        Ok(!self.store.rows("discard", &self.statements.dead_discard, bind).await?.is_empty())
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let swept = sweep(self, &self.statements.dead_sweep, keep, most).await?;
            all += swept;
            if swept < AT_ONCE {
                return Ok(all);
            }
        }
    }
}

async fn sweep(
    postgres: &Postgres,
    statement: &Statement,
    keep: Option<Duration>,
    most: Option<u64>,
) -> Result<u64, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(postgres.name())?;
        // No clock is so late that anything would be older.
        arguments.add(keep.map(|keep| micros::of(keep).min(LONGEST)))?;
        arguments.add(most.map(|most| i64::try_from(most).unwrap_or(i64::MAX)))
    };
    let rows = postgres.store.rows("sweep", statement, bind).await?;
    Read::first("sweep", &rows)?.count("swept")
}

/// 2,000 years: a moment so long ago can be told.
const LONGEST: i64 = 2_000 * 365 * 24 * 60 * 60 * 1_000_000;

fn dead(read: Read<'_>) -> Result<DeadJob, StoreError> {
    let Parts { id, kind, version, headers, body, accepted_at } = parts(read)?;
    let (attempts, reason) = (small(read, "attempts")?, read.get::<String>("reason")?.into());
    let died_at = micros::span(read.get("died_us")?);
    Ok(DeadJob { id, kind, version, headers, body, attempts, reason, accepted_at, died_at })
}
