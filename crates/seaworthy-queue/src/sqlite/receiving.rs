use std::time::Duration;

use seaworthy_store::time::now;
use seaworthy_store::{StoreError, micros};
use sqlx::query_as;
use sqlx::sqlite::SqliteConnection;

use super::engine::Sqlite;
use super::row::{count, failed};
use crate::store::{Depth, Held, Holder, Received, Settlement, Source, Take};

/// However soon the next job is due: others look, too.
const SHORTEST: Duration = Duration::from_millis(5);

/// The columns of `next.sql`, in its order.
type Next = (Option<i64>, Option<i64>, bool);
/// The columns of `depth.sql`, in its order.
type Counts = (i64, i64, i64, i64, Option<i64>);

impl Sqlite {
    /// Until something can be handed out; zero if it can be now.
    pub(super) async fn next_due(
        &self,
        connection: &mut SqliteConnection,
        now: i64,
    ) -> Result<Option<Duration>, StoreError> {
        let next = query_as(self.statements.next.clone()).bind(self.queue.as_str()).bind(now);
        let (due, over, is_stepped): Next = next.fetch_one(connection).await.map_err(failed("receive"))?;
        let stepped = is_stepped.then_some(now);
        let next = due.into_iter().chain(over).chain(stepped).min();
        Ok(next.map(|next| micros::span(next.saturating_sub(now))))
    }

    /// Takes no lock if there is nothing to be handed out.
    async fn looked(&self, take: &Take) -> Result<Received, StoreError> {
        let mut reading = self.store.reading("receive").await?;
        let next_due = self.next_due(reading.connection(), self.store.now()).await?;
        reading.done();
        let is_due = next_due.is_some_and(|next| next.is_zero());
        if take.room == 0 || !(is_due || take.repeats) {
            return Ok(Received { next_due, ..Received::default() });
        }
        self.taken(take).await
    }

    async fn counted(&self) -> Result<Depth, StoreError> {
        let mut reading = self.store.reading("depth").await?;
        let now = self.store.now();
        let counts = query_as(self.statements.depth.clone()).bind(self.queue.as_str()).bind(now);
        let counts: Counts = counts.fetch_one(reading.connection()).await.map_err(failed("depth"))?;
        reading.done();
        let (ready, later, running, dead, oldest) = counts;
        let oldest_ready = oldest.map(|due| micros::span(now.saturating_sub(due))).unwrap_or_default();
        let [ready, later, running, dead] = [ready, later, running, dead].map(count);
        Ok(Depth { ready, later, running, dead, oldest_ready })
    }
}

impl Source for Sqlite {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        let began = now();
        let mut take = *take;
        loop {
            // Before the look, so that what comes after it is noticed.
            let changed = self.changed.notified();
            let received = self.store.ask("receive", self.looked(&take)).await?;
            let left = block.saturating_sub(now().saturating_duration_since(began));
            if !received.jobs.is_empty() || !received.died.is_empty() || left.is_zero() || take.room == 0 {
                return Ok(received);
            }
            // What was handed to the asking before would have been there.
            take.repeats = false;
            let wait = received.next_due.map_or(self.poll, |next| next.clamp(SHORTEST, self.poll)).min(left);
            let _looked_again = tokio::time::timeout(wait, changed).await;
        }
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        if holders.is_empty() {
            return Ok(Vec::new());
        }
        self.store.ask("extend", self.extended(holders, visibility)).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let held = self.store.ask("settle", self.settled(holder, settlement)).await?;
        let is_back = matches!(settlement, Settlement::Retry { .. } | Settlement::Defer { .. } | Settlement::Release);
        if held.is_yes() && is_back {
            self.changed.notify_waiters();
        }
        Ok(held)
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        self.store.ask("depth", self.counted()).await
    }
}
