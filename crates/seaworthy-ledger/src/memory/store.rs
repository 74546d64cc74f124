use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use seaworthy::ConfigError;
use seaworthy_store::{ErrorClass, StoreError};

use crate::held_answer::Held;
use crate::key::Key;
use crate::machine::{Claimed, Row, State};
use crate::record::{Entry, EntryState, Kept, Record};
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

use super::clock::Clock;
use super::table::{Gone, Table};

const MAX: usize = 100_000;

/// Forgets everything when the process ends: it is not durable. For tests, and for work that may be done again after a
/// restart.
///
/// It does what every other store does, on tokio's clock, which tests can pause. It keeps up to `max` keys, running,
/// done and failed (100,000, unless told otherwise). A new key beyond it takes the place of a finished one: of one
/// whose retention is over, else of a done one, else of a failed one, in each case of the one whose retention ends
/// first, which with one retention for all is the oldest. What was done and had to go is done again when it is claimed
/// again. If all `max` keys are running the claim fails as [`Full`](ErrorClass::Full).
///
/// ```
/// use seaworthy_ledger::Memory;
///
/// let store = Memory::new(10_000)?;
/// assert!(Memory::new(0).is_err());
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Clone
/// Costs a reference count; clones have the same rows.
#[derive(Clone)]
pub struct Memory(Arc<Shared>);

struct Shared {
    clock: Clock,
    max: usize,
    table: Mutex<Table>,
}

impl Memory {
    /// An empty store for up to `max` keys.
    ///
    /// # Errors
    /// If `max` is 0.
    pub fn new(max: usize) -> Result<Memory, ConfigError> {
        if max == 0 {
            return Err(ConfigError::new("ledger", "max", 0, "must be at least 1"));
        }
        Ok(Memory::holding(max))
    }

    fn holding(max: usize) -> Memory {
        Memory(Arc::new(Shared { clock: Clock::started(), max, table: Mutex::new(Table::new(max)) }))
    }

    /// Nothing under the lock can panic halfway: what it does to a row is plain values.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read under the lock: whoever waited for it decides by the time at which it has it.
    fn now(&self) -> Duration {
        self.0.clock.now()
    }

    fn record(&self, row: &Row, at: Duration, kept: &Kept) -> Record {
        Record { fence: row.fence, finished_at: self.0.clock.date(at), kept: kept.clone() }
    }

    fn answer(&self, claimed: &Claimed, row: &Row) -> Answer {
        match (claimed, &row.state) {
            (Claimed::Done, State::Done { at, kept, .. }) => Answer::Done(self.record(row, *at, kept)),
            (Claimed::Busy { left }, _) => Answer::Busy { left: *left },
            (Claimed::Mismatch, _) => Answer::Mismatch,
            (Claimed::Granted | Claimed::Done, _) => Answer::Granted { fence: row.fence, grants: row.grants },
        }
    }

    fn entry(&self, row: &Row, now: Duration) -> Entry {
        let date = |moment| self.0.clock.date(moment);
        let state = match row.state {
            State::Running { until } => EntryState::Running { left: until.saturating_sub(now) },
            State::Done { .. } => EntryState::Done,
            State::Failed { .. } => EntryState::Failed,
        };
        let mut entry = Entry::new(state, row.fence, row.grants, date(row.first_at), date(row.started_at));
        match &row.state {
            State::Running { .. } => {}
            State::Done { at, kept, .. } => {
                entry.finished_at = Some(date(*at));
                match kept {
                    Kept::Result { bytes, .. } => entry.result_len = u64::try_from(bytes.len()).ok(),
                    Kept::Nothing => {}
                    Kept::Failed(reason) => entry.reason = Some(reason.clone()),
                }
            }
            State::Failed { at, reason, .. } => {
                entry.finished_at = Some(date(*at));
                entry.reason.clone_from(reason);
            }
        }
        entry
    }
}

/// Holds up to 100,000 keys.
impl Default for Memory {
    fn default() -> Memory {
        Memory::holding(MAX)
    }
}

/// The bound. Neither keys nor results.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("max", &self.0.max).finish_non_exhaustive()
    }
}

/// No future waits for anything: each is ready when it is first polled, and does nothing before that.
impl LedgerStore for Memory {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        // Declared before the guard, and so dropped after it.
        let mut gone = Gone::default();
        let mut table = self.table();
        let now = self.now();
        let Some((claimed, row)) = table.claim(attempt, now, &mut gone) else {
            let why = format!("{} keys are running, which is as many as it may keep", self.0.max);
            return Err(StoreError::new(ErrorClass::Full, "claim", why));
        };
        Ok(self.answer(&claimed, row))
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        let mut table = self.table();
        let now = self.now();
        let renewed = leases.iter().map(|(holder, lease)| {
            match table.get_mut(&holder.key).map_or(Held::Lost, |row| row.renew(holder, *lease, now)) {
                Held::Yes => Renewal::Renewed,
                Held::Lost => Renewal::Lost,
            }
        });
        Ok(renewed.collect())
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let mut table = self.table();
        let now = self.now();
        Ok(table.settle(holder, settlement, now))
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let table = self.table();
        let now = self.now();
        Ok(table.get(key).map(|row| self.entry(row, now)))
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        let removed = {
            let mut table = self.table();
            let now = self.now();
            table.sweep(most, now)
        };
        Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        let table = self.table();
        let now = self.now();
        let stale = table.rows().filter(|row| row.is_stale(now)).count();
        Ok(u64::try_from(stale).unwrap_or(u64::MAX))
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.table().get(key).and_then(|row| row.step(name)).cloned())
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        let mut table = self.table();
        let kept = table.get_mut(&holder.key).and_then(|row| row.keep_step(holder, name, result));
        Ok(kept.map_or(StepKept::Lost, StepKept::Stored))
    }
}
