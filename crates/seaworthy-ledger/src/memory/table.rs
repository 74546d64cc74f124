use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use crate::key::Key;
use crate::machine::{Claimed, Leftover, Row, State};
use crate::store::{Attempt, Held, Holder, Settlement};

use super::finished::Finished;

/// The rows, and the finished ones among them in order.
#[derive(Debug)]
pub(super) struct Table {
    rows: HashMap<Key, Slot>,
    finished: Finished,
    /// How many settlings there were.
    settlings: u64,
    max: usize,
}

#[derive(Debug)]
pub(super) struct Slot {
    row: Row,
    /// The number of its last settling: tells rows apart whose retention ends at the same moment.
    settling: u64,
}

/// To be dropped where no lock is held.
pub(super) type Gone = (Option<Slot>, Leftover);

impl Table {
    pub(super) fn new(max: usize) -> Table {
        Table { rows: HashMap::new(), finished: Finished::default(), settlings: 0, max }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key).map(|slot| &slot.row)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Row> {
        self.rows.get_mut(key).map(|slot| &mut slot.row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|slot| &slot.row)
    }

    /// None if there is no room. `gone` is what had to go, a row or a part of one.
    pub(super) fn claim(&mut self, attempt: &Attempt, now: Duration, gone: &mut Gone) -> Option<(Claimed, &Row)> {
        if self.rows.len() >= self.max && !self.rows.contains_key(&attempt.key) {
            gone.0 = Some(self.evict(now)?);
        }
        match self.rows.entry(attempt.key.clone()) {
            Entry::Vacant(vacant) => {
                let slot = vacant.insert(Slot { row: Row::granted(attempt, now), settling: 0 });
                Some((Claimed::Granted, &slot.row))
            }
            Entry::Occupied(occupied) => {
                let slot = occupied.into_mut();
                // Nothing keeps a failed row from being claimed.
                if let State::Failed { expires, .. } = slot.row.state {
                    self.finished.remove_failed((expires, slot.settling));
                }
                Some((slot.row.claim(attempt, now, &mut gone.1), &slot.row))
            }
        }
    }

    /// Rows that were to be removed go first, then done ones, then failed ones, each in the order in which their
    /// retention ends. A failed row has no outcome to lose; but a done one that is asked for no more is likelier than a
    /// failed one that is not claimed again. Running rows stay.
    fn evict(&mut self, now: Duration) -> Option<Slot> {
        let finished = &mut self.finished;
        let first = finished.pop_expired(now).or_else(|| finished.pop_done()).or_else(|| finished.pop_failed())?;
        self.rows.remove(&first)
    }

    pub(super) fn settle(&mut self, holder: &Holder, settlement: &Settlement, now: Duration) -> Held {
        let Some(slot) = self.rows.get_mut(&holder.key) else { return Held::Lost };
        let was_settled = slot.row.state.expires().is_some();
        let held = slot.row.settle(holder, settlement, now);
        if held.is_yes() && !was_settled {
            self.settlings += 1;
            slot.settling = self.settlings;
            match slot.row.state {
                State::Running { .. } => {}
                State::Done { expires, .. } => self.finished.add_done((expires, slot.settling), holder.key.clone()),
                State::Failed { expires, .. } => self.finished.add_failed((expires, slot.settling), holder.key.clone()),
            }
        }
        held
    }

    /// Removes up to `most` whose retention is over, and gives them.
    pub(super) fn sweep(&mut self, most: u32, now: Duration) -> Vec<Slot> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let expired = std::iter::from_fn(|| self.finished.pop_expired(now));
        expired.take(most).filter_map(|key| self.rows.remove(&key)).collect()
    }
}
