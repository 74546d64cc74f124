use seaworthy_store::sqlite::{Lease, classified};
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::query;
use sqlx::sqlite::SqliteConnection;

use crate::machine::lease::LeaseRow;
use crate::sqlite::engine::{Sqlite, term};
use crate::sqlite::row::{self, corrupt};
use crate::store::{Acquired, Answers, Bid, Candidate, Row, RowTime};

impl Sqlite {
    pub(super) async fn acquired(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        let (now, held) = self.held(bids).await?;
        if now <= begin_by.0 && held.iter().all(Option::is_some) {
            return Ok(Answers { at: RowTime(now), each: held.into_iter().flatten().collect() });
        }
        let mut writing = self.store.writing("acquire").await?;
        // Not before: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        let mut each = Vec::with_capacity(bids.len());
        for (bid, held) in bids.iter().zip(held) {
            each.push(match held {
                _ if now > begin_by.0 => Acquired::Late,
                Some(held) => held,
                None => beside(bids, self.granted(candidate, bid, now, writing.connection()).await)?,
            });
        }
        writing.commit().await?;
        Ok(Answers { at: RowTime(now), each })
    }

    /// What needs no lock, and when it was seen: most of those who ask are followers of somebody whose lease is live.
    async fn held(&self, bids: &[Bid]) -> Result<(i64, Vec<Option<Acquired>>), StoreError> {
        let mut reading = self.store.reading("acquire").await?;
        let mut looked = Vec::with_capacity(bids.len());
        for bid in bids {
            looked.push(self.look("acquire", &bid.name, reading.connection()).await);
        }
        reading.done();
        let now = self.store.now();
        let mut held = Vec::with_capacity(bids.len());
        for (bid, looked) in bids.iter().zip(looked) {
            let row = looked.and_then(|columns| columns.map(|columns| row::at(now, columns)).transpose());
            let free = |row: Option<LeaseRow>| row.filter(|row| !row.is_free_for(bid.term, micros::span(now)));
            let answer = row.map(|row| free(row).map(|row| Acquired::Held(Row::of(&row, micros::span(now)))));
            held.push(answer.transpose().map(|answer| beside(bids, answer)).transpose()?);
        }
        Ok((now, held))
    }

    /// Under the lock of a write.
    async fn granted(
        &self,
        candidate: &Candidate<'_>,
        bid: &Bid,
        now: i64,
        connection: &mut SqliteConnection,
    ) -> Result<Acquired, StoreError> {
        let columns = self.look("acquire", &bid.name, &mut *connection).await?;
        let mut row = columns.map(|columns| row::at(now, columns)).transpose()?.unwrap_or_default();
        if !row.is_free_for(bid.term, micros::span(now)) {
            return Ok(Acquired::Held(Row::of(&row, micros::span(now))));
        }
        let before = row.epoch;
        let lease = Lease::starting(now, candidate.ttl);
        let epoch = row.grant(bid.term, bid.seen, micros::span(lease.until));
        let column = i64::try_from(epoch).map_err(|_| corrupt("an epoch that no row can have"))?;
        query(self.statements.grant.clone())
            .bind(bid.name.as_str())
            .bind(column)
            .bind(term(bid.term))
            .bind(candidate.holder)
            .bind(candidate.hint)
            .bind(lease.from)
            .bind(lease.until)
            .execute(connection)
            .await
            .map_err(|error| classified("acquire", error))?;
        Ok(Acquired::Granted { epoch, before })
    }
}

/// A row that cannot be understood does not hold up those that are asked for beside it: it is asked for again by
/// itself, and then it is an error.
fn beside(bids: &[Bid], answer: Result<Acquired, StoreError>) -> Result<Acquired, StoreError> {
    match answer {
        Err(error) if error.class() == ErrorClass::Corrupt && bids.len() > 1 => Ok(Acquired::Locked),
        answer => answer,
    }
}
