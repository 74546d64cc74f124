use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;
use seaworthy_store::time::{Instant, now};

use crate::machine::lease::LeaseRow;
use crate::store::{Acquired, Answers, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};

/// Leases in the memory of this process, on tokio's clock, which tests can pause. For tests, and for programs that run
/// as one process now and as several later.
///
/// It does what every other store does. Several [electors](crate::LocalElector::on) on one are candidates that compete.
///
/// # Clone
/// Costs a reference count; clones have the same rows.
#[derive(Clone)]
pub struct Local(Arc<Shared>);

struct Shared {
    start: Instant,
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    rows: HashMap<Name, LeaseRow>,
    /// Whose renewals are not answered, until it is granted again.
    unrenewed: HashSet<Name>,
}

impl Default for Local {
    fn default() -> Local {
        Local(Arc::new(Shared { start: now(), rows: Mutex::default() }))
    }
}

impl Local {
    /// Nothing under the lock can panic halfway: what it does to a row is plain values.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read under the lock: whoever waited for it decides by the time at which it has it.
    fn now(&self) -> Duration {
        now().saturating_duration_since(self.0.start)
    }

    pub(super) fn revoke(&self, name: &Name) {
        let mut rows = self.rows();
        let now = self.now();
        if let Some(row) = rows.rows.get_mut(name) {
            row.end(now);
        }
    }

    pub(super) fn stop_renewing(&self, name: &Name) {
        self.rows().unrenewed.insert(name.clone());
    }

    pub(super) fn go_back(&self, name: &Name) {
        self.rows().rows.remove(name);
    }
}

fn row_time(moment: Duration) -> RowTime {
    RowTime(i64::try_from(moment.as_micros()).unwrap_or(i64::MAX))
}

/// No future waits for anything: each is ready when it is first polled, and does nothing before that.
impl LeaseStore for Local {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        let mut rows = self.rows();
        let now = self.now();
        let at = row_time(now);
        if at > begin_by {
            return Ok(Answers { at, each: vec![Acquired::Late; bids.len()] });
        }
        let acquired = bids.iter().map(|bid| {
            let row = rows.rows.entry(bid.name.clone()).or_default();
            if !row.is_free_for(bid.term, now) {
                return Acquired::Held(Row::of(row, now));
            }
            let before = row.epoch;
            let epoch = row.grant(bid.term, bid.seen, now + candidate.ttl);
            row.holder = candidate.holder.into();
            row.hint = candidate.hint.map(Box::from);
            rows.unrenewed.remove(&bid.name);
            Acquired::Granted { epoch, before }
        });
        Ok(Answers { at, each: acquired.collect() })
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        let mut rows = self.rows();
        let now = self.now();
        let at = row_time(now);
        let renewed = tenures.iter().map(|tenure| {
            if at > begin_by {
                return Renewal::Late;
            }
            if rows.unrenewed.contains(&tenure.name) {
                return Renewal::Locked;
            }
            let row = rows.rows.get_mut(&tenure.name);
            let is_renewed = row.is_some_and(|row| row.renew(tenure.epoch, tenure.term, now, now + ttl));
            if is_renewed { Renewal::Renewed } else { Renewal::Lost }
        });
        Ok(Answers { at, each: renewed.collect() })
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let now = self.now();
        if let Some(row) = rows.rows.get_mut(name) {
            row.release(term, now);
        }
        Ok(())
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        let rows = self.rows();
        let now = self.now();
        let live = |name| rows.rows.get(name).filter(|row| row.is_live(now)).map(|row| Row::of(row, now));
        Ok(Answers { at: row_time(now), each: names.iter().map(live).collect() })
    }
}

/// The number of names.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("names", &self.rows().rows.len()).finish_non_exhaustive()
    }
}
