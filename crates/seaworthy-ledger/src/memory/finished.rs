use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

/// Where a finished row stands among the others: by the end of its retention, then by when it was finished.
pub(super) type Place = (Duration, u64);

/// The finished rows in the order in which their retention ends.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// Those whose retention ends after that of those before them: with one retention for all, all of them.
    done: VecDeque<Done>,
    /// Those that had to jump the queue. Done rows leave from the front only, because done is final.
    done_sooner: BinaryHeap<Done>,
    /// These leave from anywhere, when they are claimed again.
    failed: BTreeMap<Place, usize>,
}

#[derive(Debug)]
struct Done {
    place: Place,
    /// Where its row is.
    at: usize,
}

impl Finished {
    pub(super) fn add_done(&mut self, place: Place, at: usize) {
        let done = Done { place, at };
        match self.done.back() {
            Some(last) if place < last.place => self.done_sooner.push(done),
            _ => self.done.push_back(done),
        }
    }

    pub(super) fn add_failed(&mut self, place: Place, at: usize) {
        self.failed.insert(place, at);
    }

    pub(super) fn remove_failed(&mut self, place: Place) {
        self.failed.remove(&place);
    }

    /// The first whose retention is over.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<usize> {
        let expired = |place: &Place| place.0 <= now;
        let done = self.first_done().filter(expired);
        let failed = self.failed.first_key_value().map(|(place, _)| *place).filter(expired);
        match (done, failed) {
            (Some(done), Some(failed)) if failed < done => self.pop_failed(),
            (Some(_), _) => self.pop_done(),
            (None, _) => failed.and_then(|_| self.pop_failed()),
        }
    }

    fn first_done(&self) -> Option<Place> {
        let places = [self.done.front(), self.done_sooner.peek()];
        places.into_iter().flatten().map(|first| first.place).min()
    }

    pub(super) fn pop_done(&mut self) -> Option<usize> {
        let first = match (self.done.front(), self.done_sooner.peek()) {
            (Some(first), Some(sooner)) if first.place < sooner.place => self.done.pop_front(),
            (_, Some(_)) => self.done_sooner.pop(),
            (_, None) => self.done.pop_front(),
        };
        first.map(|done| done.at)
    }

    pub(super) fn pop_failed(&mut self) -> Option<usize> {
        self.failed.pop_first().map(|(_, at)| at)
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
