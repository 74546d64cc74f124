use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, query, query_scalar};

use super::engine::Sqlite;
use super::row::{failed, headers_text, later};
use crate::job_id::JobId;
use crate::store::{Cancelled, Due, Entry, NewJob, Producer, TransactionalProducer};

const RUNNING: i64 = 1;

impl Sqlite {
    /// On whatever connection; nothing if there is no room, after which all of it is to be undone.
    async fn accepted(
        &self,
        asked: &'static str,
        connection: &mut SqliteConnection,
        jobs: &[NewJob],
        max_len: Option<u64>,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        let queue = self.queue.as_str();
        let forget = query(self.statements.forget.clone()).bind(queue).bind(self.store.now());
        forget.execute(&mut *connection).await.map_err(failed(asked))?;
        // Now that the lock is there.
        let now = self.store.now();
        let mut entries = Vec::with_capacity(jobs.len());
        for job in jobs {
            let due = match job.due {
                Due::Now => now,
                Due::After(span) => later(now, span),
                Due::At(moment) => micros::of(moment).max(now),
            };
            let accepted = query(self.statements.accept.clone())
                .bind(queue)
                .bind(job.id.as_str())
                .bind(now)
                .bind(due)
                .bind(&*job.kind)
                .bind(i64::from(job.version))
                .bind(headers_text(asked, &job.headers)?)
                .bind(&*job.body)
                .execute(&mut *connection)
                .await
                .map_err(failed(asked))?;
            entries.push(if accepted.rows_affected() == 1 { Entry::Accepted } else { Entry::Already });
        }
        let is_longer = entries.contains(&Entry::Accepted);
        match max_len.and_then(|most| i64::try_from(most).ok()) {
            Some(most) if is_longer && self.live(asked, connection, most).await? > most => Ok(None),
            _ => Ok(Some(entries)),
        }
    }

    /// How many are not dead, counted to one more than `most`.
    async fn live(&self, asked: &'static str, connection: &mut SqliteConnection, most: i64) -> Result<i64, StoreError> {
        let live = query_scalar(self.statements.live.clone()).bind(self.queue.as_str()).bind(most.saturating_add(1));
        live.fetch_one(connection).await.map_err(failed(asked))
    }

    async fn enqueued(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        let asked = "enqueue";
        let mut writing = self.store.writing(asked).await?;
        // A queue that is full is no reason to close the connection that writes, as a transaction that is dropped
        // would.
        if max_len.is_some() {
            writing.connection().execute("SAVEPOINT accepting").await.map_err(failed(asked))?;
        }
        let accepted = self.accepted(asked, writing.connection(), jobs, max_len).await?;
        if accepted.is_none() {
            writing.connection().execute("ROLLBACK TO accepting").await.map_err(failed(asked))?;
        }
        writing.commit().await?;
        accepted.ok_or_else(|| no_room(asked))
    }

    async fn cancelled(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        let asked = "cancel";
        let mut reading = self.store.reading(asked).await?;
        let state = self.state(reading.connection(), id).await?;
        reading.done();
        match state {
            None => return Ok(Cancelled::Unknown),
            Some(RUNNING) => return Ok(Cancelled::Running),
            Some(_) => {}
        }
        let mut writing = self.store.writing(asked).await?;
        let cancel = query(self.statements.cancel.clone()).bind(self.queue.as_str()).bind(id.as_str());
        let cancelled = cancel.execute(writing.connection()).await.map_err(failed(asked))?;
        let outcome = match cancelled.rows_affected() {
            1 => Cancelled::Removed,
            // Somebody was faster.
            _ => match self.state(writing.connection(), id).await? {
                Some(_) => Cancelled::Running,
                None => Cancelled::Unknown,
            },
        };
        writing.commit().await?;
        Ok(outcome)
    }

    async fn state(&self, connection: &mut SqliteConnection, id: &JobId) -> Result<Option<i64>, StoreError> {
        let state = query_scalar(self.statements.state.clone()).bind(self.queue.as_str()).bind(id.as_str());
        state.fetch_optional(connection).await.map_err(failed("cancel"))
    }
}

fn no_room(asked: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Full, asked, "the queue is as long as it may be")
}

impl Producer for Sqlite {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        let entries = self.store.ask("enqueue", self.enqueued(jobs, max_len)).await?;
        if entries.contains(&Entry::Accepted) {
            self.changed.notify_waiters();
        }
        Ok(entries)
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        self.store.ask("cancel", self.cancelled(id)).await
    }
}

/// The file is locked from here to the transaction's end. Begin it with `BEGIN IMMEDIATE`: SQLite refuses one that has
/// read before it writes, if another connection wrote in between. The tables must be there, which they are after any
/// other request, or [`Sqlite::migrate`].
impl TransactionalProducer for Sqlite {
    type Connection = SqliteConnection;

    async fn enqueue_in(
        &self,
        connection: &mut SqliteConnection,
        jobs: &[NewJob],
        max_len: Option<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let asked = "enqueue_in";
        self.accepted(asked, connection, jobs, max_len).await?.ok_or_else(|| no_room(asked))
    }
}
