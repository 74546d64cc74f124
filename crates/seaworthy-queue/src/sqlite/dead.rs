use std::time::Duration;

use seaworthy_store::{StoreError, micros};
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as};

use super::engine::Sqlite;
use super::row::{self, Wrong, corrupt, count, failed, headers_text};
use crate::job_id::JobId;
use crate::machine::jobs::REDRIVEN;
use crate::store::{DeadJob, DeadLetters};

/// In one transaction of a sweep.
const SOME: u32 = 1_000;

impl Sqlite {
    async fn listed(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        let mut reading = self.store.reading("list").await?;
        let rows = query(self.statements.dead_list.clone())
            .bind(self.queue.as_str())
            .bind(after.map(JobId::as_str))
            .bind(most)
            .fetch_all(reading.connection())
            .await
            .map_err(failed("list"))?;
        reading.done();
        rows.iter().map(|row| Ok(row::dead(row)?.0)).collect()
    }

    async fn got(
        &self,
        asked: &'static str,
        connection: &mut SqliteConnection,
        id: &JobId,
    ) -> Result<Option<(DeadJob, Option<Wrong>)>, StoreError> {
        let get = query(self.statements.dead_get.clone()).bind(self.queue.as_str()).bind(id.as_str());
        let row = get.fetch_optional(connection).await.map_err(failed(asked))?;
        row.as_ref().map(row::dead).transpose()
    }

    async fn redriven(&self, id: &JobId) -> Result<bool, StoreError> {
        let asked = "redrive";
        let mut writing = self.store.writing(asked).await?;
        let now = self.store.now();
        let Some((mut job, wrong)) = self.got(asked, writing.connection(), id).await? else {
            writing.commit().await?;
            return Ok(false);
        };
        if let Some(wrong) = wrong {
            // It would only die again.
            return Err(corrupt(asked, wrong));
        }
        job.headers.count_up(REDRIVEN);
        let redriven = query(self.statements.redrive.clone())
            .bind(self.queue.as_str())
            .bind(id.as_str())
            .bind(now)
            .bind(headers_text(asked, &job.headers)?)
            .execute(writing.connection())
            .await
            .map_err(failed(asked))?;
        if redriven.rows_affected() == 0 {
            // One is live under its id, which no step of ours makes so.
            return Err(corrupt(asked, "id"));
        }
        self.discard_on(asked, writing.connection(), id).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn discard_on(
        &self,
        asked: &'static str,
        connection: &mut SqliteConnection,
        id: &JobId,
    ) -> Result<bool, StoreError> {
        let discard = query(self.statements.discard.clone()).bind(self.queue.as_str()).bind(id.as_str());
        Ok(discard.execute(connection).await.map_err(failed(asked))?.rows_affected() == 1)
    }

    async fn swept(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        let asked = "sweep";
        let queue = self.queue.as_str();
        let mut reading = self.store.reading(asked).await?;
        let look = query_as(self.statements.sweep_look.clone()).bind(queue);
        let (dead, first): (i64, Option<i64>) = look.fetch_one(reading.connection()).await.map_err(failed(asked))?;
        reading.done();
        let before = |now: i64| keep.map(|keep| now.saturating_sub(micros::of(keep)));
        let is_old = first.zip(before(self.store.now())).is_some_and(|(first, before)| first < before);
        let is_over = most.is_some_and(|most| count(dead) > most);
        if !is_old && !is_over {
            return Ok(0);
        }
        let mut writing = self.store.writing(asked).await?;
        let before = before(self.store.now());
        let mut swept = 0;
        if let Some(before) = before {
            let old = query(self.statements.sweep_old.clone()).bind(queue).bind(before).bind(SOME);
            swept += old.execute(writing.connection()).await.map_err(failed(asked))?.rows_affected();
        }
        if let Some(most) = most {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let over = query(self.statements.sweep_most.clone()).bind(queue).bind(most).bind(SOME);
            swept += over.execute(writing.connection()).await.map_err(failed(asked))?.rows_affected();
        }
        writing.commit().await?;
        Ok(swept)
    }
}

impl DeadLetters for Sqlite {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        self.store.ask("list", self.listed(after, most)).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        let got = async {
            let mut reading = self.store.reading("get").await?;
            let got = self.got("get", reading.connection(), id).await?;
            reading.done();
            Ok(got.map(|(job, _)| job))
        };
        self.store.ask("get", got).await
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        let is_back = self.store.ask("redrive", self.redriven(id)).await?;
        if is_back {
            self.changed.notify_waiters();
        }
        Ok(is_back)
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        let discarded = async {
            let mut writing = self.store.writing("discard").await?;
            let discarded = self.discard_on("discard", writing.connection(), id).await?;
            writing.commit().await?;
            Ok(discarded)
        };
        self.store.ask("discard", discarded).await
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let some = self.store.ask("sweep", self.swept(keep, most)).await?;
            all += some;
            if some < u64::from(SOME) {
                return Ok(all);
            }
        }
    }
}
