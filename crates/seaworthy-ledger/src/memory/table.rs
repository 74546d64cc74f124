use std::time::Duration;

use crate::held_answer::Held;
use crate::key::Key;
use crate::machine::{Claimed, Leftover, Row, State};
use crate::store::{Attempt, Holder, Settlement};

use super::finished::Finished;
use super::slots::{Found, Slot, Slots};

/// The rows, and the finished ones among them in order.
#[derive(Debug)]
pub(super) struct Table {
    slots: Slots,
    finished: Finished,
    /// How many settlings there were.
    settlings: u64,
    max: usize,
}

/// To be dropped where no lock is held.
pub(super) type Gone = (Option<Slot>, Leftover);

impl Table {
    pub(super) fn new(max: usize) -> Table {
        Table { slots: Slots::default(), finished: Finished::default(), settlings: 0, max }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        Some(&self.slots.get(self.slots.find(key)?)?.row)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Row> {
        Some(&mut self.slots.get_mut(self.slots.find(key)?)?.row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.slots.iter().map(|slot| &slot.row)
    }

    /// None if there is no room. `gone` is what had to go, a row or a part of one.
    pub(super) fn claim(&mut self, attempt: &Attempt, now: Duration, gone: &mut Gone) -> Option<(Claimed, &Row)> {
        if self.slots.len() >= self.max && self.slots.find(&attempt.key).is_none() {
            gone.0 = Some(self.evict(now)?);
        }
        match self.slots.find_or_add(&attempt.key, || Row::granted(attempt, now)) {
            Found::Added(at) => Some((Claimed::Granted, &self.slots.get(at)?.row)),
            Found::There(at) => {
                let slot = self.slots.get_mut(at)?;
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
        self.slots.remove(first)
    }

    pub(super) fn settle(&mut self, holder: &Holder, settlement: &Settlement, now: Duration) -> Held {
        let Some(at) = self.slots.find(&holder.key) else { return Held::Lost };
        let Some(slot) = self.slots.get_mut(at) else { return Held::Lost };
        let was_settled = slot.row.state.expires().is_some();
        let held = slot.row.settle(holder, settlement, now);
        if held.is_yes() && !was_settled {
            self.settlings += 1;
            slot.settling = self.settlings;
            match slot.row.state {
                State::Running { .. } => {}
                State::Done { expires, .. } => self.finished.add_done((expires, slot.settling), at),
                State::Failed { expires, .. } => self.finished.add_failed((expires, slot.settling), at),
            }
        }
        held
    }

    /// Removes up to `most` whose retention is over, and gives them.
    pub(super) fn sweep(&mut self, most: u32, now: Duration) -> Vec<Slot> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let expired = std::iter::from_fn(|| self.finished.pop_expired(now));
        expired.take(most).filter_map(|at| self.slots.remove(at)).collect()
    }
}
