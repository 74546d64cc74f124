//! What a taking comes to, under the lock of a write.

use seaworthy_store::sqlite::Lease;
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, SqlStr, query};

use super::engine::Sqlite;
use super::row::{self, Wrong, failed, owner};
use crate::job_id::JobId;
use crate::store::{Received, Take};

const ASKED: &str = "receive";

/// In one taking, so that it ends in its time, however many have been delivered too often.
const MOST_DEATHS: usize = 1_000;

struct Taking<'a> {
    engine: &'a Sqlite,
    take: &'a Take,
    room: usize,
    now: i64,
    lease: Lease,
    /// Whether what is given up is moved to the dead, which takes room in the file.
    buries: bool,
    received: Received,
}

/// A row that can be handed out.
struct Found {
    number: i64,
    /// None if it is not one that a job can have.
    id: Option<JobId>,
    is_spent: bool,
}

impl Found {
    fn new(row: &SqliteRow) -> Result<Found, StoreError> {
        let (number, is_spent) = (row.try_get(0).map_err(failed(ASKED))?, row.try_get(2).map_err(failed(ASKED))?);
        Ok(Found { number, id: row::id(row).ok(), is_spent })
    }
}

impl Sqlite {
    /// In a file that is full the dead are left where they are, and the others go on: what becomes of them makes room.
    pub(super) async fn taken(&self, take: &Take) -> Result<Received, StoreError> {
        match self.taken_with(take, true).await {
            Err(error) if error.class() == ErrorClass::Full => self.taken_with(take, false).await,
            taken => taken,
        }
    }

    async fn taken_with(&self, take: &Take, buries: bool) -> Result<Received, StoreError> {
        let mut writing = self.store.writing(ASKED).await?;
        // Not before: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        let room = usize::try_from(take.room).unwrap_or(usize::MAX);
        let lease = Lease::starting(now, take.visibility);
        let mut taking = Taking { engine: self, take, room, now, lease, buries, received: Received::default() };
        taking.run(writing.connection()).await?;
        let mut received = taking.received;
        // What is left where it is, is not asked for again and again.
        received.next_due = if buries { self.next_due(writing.connection(), now).await? } else { None };
        writing.commit().await?;
        Ok(received)
    }
}

impl Taking<'_> {
    async fn run(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let statements = &self.engine.statements;
        if self.take.repeats {
            for found in self.found(&statements.ours, connection).await? {
                self.hand_out(&statements.hand_again, found, connection).await?;
            }
        }
        for looked in [&statements.over, &statements.stepped, &statements.due] {
            while self.left() > 0 && self.received.died.len() < MOST_DEATHS {
                let all = self.found(looked, connection).await?;
                if all.is_empty() {
                    break;
                }
                for found in all {
                    if found.is_spent || found.id.is_none() {
                        self.bury(found, None, connection).await?;
                    } else {
                        self.hand_out(&statements.hand_out, found, connection).await?;
                    }
                }
                if !self.buries {
                    break;
                }
            }
        }
        Ok(())
    }

    fn left(&self) -> usize {
        self.room.saturating_sub(self.received.jobs.len())
    }

    async fn found(&self, looked: &SqlStr, connection: &mut SqliteConnection) -> Result<Vec<Found>, StoreError> {
        let most = self.left().min(MOST_DEATHS);
        let rows = query(looked.clone())
            .bind(self.engine.queue.as_str())
            .bind(self.now)
            .bind(i64::from(self.take.max_deliveries))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .bind(owner(self.take.owner))
            .bind(self.buries)
            .fetch_all(connection)
            .await
            .map_err(failed(ASKED))?;
        rows.iter().map(Found::new).collect()
    }

    /// One that cannot be understood is dead.
    async fn hand_out(
        &mut self,
        how: &SqlStr,
        found: Found,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let row = query(how.clone())
            .bind(found.number)
            .bind(self.lease.from)
            .bind(self.lease.until)
            .bind(owner(self.take.owner))
            .fetch_one(&mut *connection)
            .await
            .map_err(failed(ASKED))?;
        match row::taken(&row, self.now) {
            Ok(taken) => self.received.jobs.push(taken),
            Err(wrong) => self.bury(found, Some(wrong), connection).await?,
        }
        Ok(())
    }

    async fn bury(
        &mut self,
        found: Found,
        wrong: Option<Wrong>,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        if !self.buries {
            return Ok(());
        }
        let Found { number, id, .. } = found;
        let wrong = if id.is_none() { Some("id") } else { wrong };
        let reason = wrong.map(|column| format!("its {column} in the file cannot be understood"));
        let id = self.engine.bury(ASKED, connection, number, id.as_ref(), reason.as_deref(), self.now).await?;
        self.received.died.push(id);
        Ok(())
    }
}
