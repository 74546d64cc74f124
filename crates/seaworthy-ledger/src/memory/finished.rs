use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::key::Key;

/// Where a finished row stands among the others: by the end of its retention, then by when it was finished.
pub(super) type Place = (Duration, u64);

/// The finished rows in the order in which their retention ends.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// These leave from the front only, because done is final.
    done: BinaryHeap<Done>,
    /// These leave from anywhere, when they are claimed again.
    failed: BTreeMap<Place, Key>,
}

#[derive(Debug)]
struct Done {
    place: Place,
    key: Key,
}

impl Finished {
    pub(super) fn add_done(&mut self, place: Place, key: Key) {
        self.done.push(Done { place, key });
    }

    pub(super) fn add_failed(&mut self, place: Place, key: Key) {
        self.failed.insert(place, key);
    }

    pub(super) fn remove_failed(&mut self, place: Place) {
        self.failed.remove(&place);
    }

    /// The first whose retention is over.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<Key> {
        let expired = |place: &Place| place.0 <= now;
        let done = self.done.peek().map(|first| first.place).filter(expired);
        let failed = self.failed.first_key_value().map(|(place, _)| *place).filter(expired);
        match (done, failed) {
            (Some(done), Some(failed)) if failed < done => self.pop_failed(),
            (Some(_), _) => self.pop_done(),
            (None, _) => failed.and_then(|_| self.pop_failed()),
        }
    }

    pub(super) fn pop_done(&mut self) -> Option<Key> {
        self.done.pop().map(|first| first.key)
    }

    pub(super) fn pop_failed(&mut self) -> Option<Key> {
        self.failed.pop_first().map(|(_, key)| key)
    }
}

/// The heap gives the greatest first, so the earliest place is the greatest.
impl Ord for Done {
    fn cmp(&self, other: &Done) -> Ordering {
        other.place.cmp(&self.place)
    }
}

impl PartialOrd for Done {
    fn partial_cmp(&self, other: &Done) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Done {
    fn eq(&self, other: &Done) -> bool {
        self.place == other.place
    }
}

impl Eq for Done {}
