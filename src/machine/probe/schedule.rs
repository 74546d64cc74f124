use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::machine::timestamp::Timestamp;

/// Decides which target is probed when: never twice at once, and only a limited number at a time. However many targets
/// there are, there is only one point in time to wait for.
///
/// Due targets are in three queues, which take turns; the queue of targets that took too long gets at most half of the
/// room. Within a queue, the target that would be a whole interval late first goes first.
#[derive(Debug)]
pub(crate) struct ProbeSchedule {
    lanes: BTreeMap<u64, Lane>,
    /// Lanes with no probe in flight that are not known to be due, by the time at which they will be.
    later: BTreeSet<(Timestamp, u64)>,
    /// Lanes that are due, by the time at which they would be late.
    due: [BTreeSet<(Timestamp, u64)>; QUEUES],
    /// Which queue's turn it is.
    turn: usize,
    /// Probes in flight that have not been given up, by their deadline.
    deadlines: BTreeSet<(Timestamp, u64)>,
    in_flight: usize,
    /// How many of them belong to targets that take too long.
    slow: usize,
    most: usize,
}

const QUEUES: usize = 3;

/// A longer interval than this makes a target no less urgent.
const MOST_PATIENT: Duration = Duration::from_secs(60);

/// How a target's last probe went, which decides its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The last one ended by itself.
    Prompt,
    /// There has been none yet.
    Unknown,
    /// The last one was given up because it took too long.
    Slow,
}

#[derive(Debug)]
struct Lane {
    /// When it is due, once no probe is in flight in it.
    next: Timestamp,
    /// How late it may be.
    patience: Duration,
    pace: Pace,
    flight: Option<Flight>,
    /// Goes away once the probe in flight has landed.
    removed: bool,
}

impl Lane {
    fn late(&self) -> Timestamp {
        self.next.after(self.patience.min(MOST_PATIENT))
    }
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    deadline: Timestamp,
    /// Whether it counts as slow.
    slow: bool,
}

impl ProbeSchedule {
    pub(crate) fn new(most: usize) -> ProbeSchedule {
        ProbeSchedule {
            lanes: BTreeMap::new(),
            later: BTreeSet::new(),
            due: Default::default(),
            turn: 0,
            deadlines: BTreeSet::new(),
            in_flight: 0,
            slow: 0,
            most,
        }
    }

    /// Makes `id` due at `next` and at no other time; never, with [`Timestamp::NEVER`]. If a probe is in flight, that
    /// is the earliest, and the probe has to land first. It may be `patience` late before others become less urgent.
    pub(crate) fn set(&mut self, id: u64, next: Timestamp, patience: Duration) {
        let fresh = || Lane { next, patience, pace: Pace::Unknown, flight: None, removed: false };
        self.unlist(id);
        let lane = self.lanes.entry(id).or_insert_with(fresh);
        (lane.next, lane.patience) = (next, patience);
        self.list(id);
    }

    /// Makes `id` due at `moment` at the latest, if it is due at all.
    pub(crate) fn set_by(&mut self, id: u64, moment: Timestamp) {
        let Some(lane) = self.lanes.get(&id) else { return };
        if lane.next != Timestamp::NEVER && moment < lane.next {
            self.set(id, moment, lane.patience);
        }
    }

    /// Puts a lane with no probe in flight where it belongs.
    fn list(&mut self, id: u64) {
        let Some(lane) = self.lanes.get(&id) else { return };
        if lane.flight.is_none() && lane.next != Timestamp::NEVER {
            self.later.insert((lane.next, id));
        }
    }

    fn unlist(&mut self, id: u64) {
        let Some(lane) = self.lanes.get(&id) else { return };
        self.later.remove(&(lane.next, id));
        self.due[lane.pace as usize].remove(&(lane.late(), id));
    }

    /// Removes a target.
    pub(crate) fn remove(&mut self, id: u64) {
        self.set(id, Timestamp::NEVER, Duration::ZERO);
        self.give_up(id);
        match self.lanes.get_mut(&id) {
            Some(lane) if lane.flight.is_some() => lane.removed = true,
            _ => drop(self.lanes.remove(&id)),
        }
    }

    /// Stops waiting for the probe in flight for `id`; it still has to land.
    pub(crate) fn give_up(&mut self, id: u64) {
        if let Some(flight) = self.lanes.get(&id).and_then(|lane| lane.flight) {
            self.deadlines.remove(&(flight.deadline, id));
        }
    }

    /// The next target that is due, if there is room for its probe.
    pub(crate) fn next_due(&mut self, now: Timestamp) -> Option<u64> {
        while let Some((at, id)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, id));
            let Some(lane) = self.lanes.get(&id) else { continue };
            self.due[lane.pace as usize].insert((lane.late(), id));
        }
        self.choice()
    }

    /// Of the targets known to be due, the one whose turn it is, if there is room for its probe.
    fn choice(&self) -> Option<u64> {
        if self.in_flight >= self.most {
            return None;
        }
        let has_room = |queue: &usize| *queue != Pace::Slow as usize || self.slow < (self.most / 2).max(1);
        let mut queues = (self.turn..self.turn + QUEUES).map(|queue| queue % QUEUES).filter(has_room);
        queues.find_map(|queue| self.due[queue].first().map(|(_, id)| *id))
    }

    /// Starts a probe.
    pub(crate) fn launch(&mut self, id: u64, deadline: Timestamp) {
        self.unlist(id);
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.next = Timestamp::NEVER;
        let slow = lane.pace == Pace::Slow;
        lane.flight = Some(Flight { deadline, slow });
        self.turn = lane.pace as usize + 1;
        if deadline != Timestamp::NEVER {
            self.deadlines.insert((deadline, id));
        }
        self.in_flight += 1;
        self.slow += usize::from(slow);
    }

    /// The probe in flight for `id` ended by itself.
    pub(crate) fn answered(&mut self, id: u64) {
        if let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.flight.is_some()) {
            lane.pace = Pace::Prompt;
        }
    }

    /// The next target whose probe takes too long; it is no longer waited for.
    pub(crate) fn take_overdue(&mut self, now: Timestamp) -> Option<u64> {
        let (at, id) = self.deadlines.first().copied().filter(|(at, _)| *at <= now)?;
        self.deadlines.remove(&(at, id));
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.pace = Pace::Slow;
            if let Some(flight) = lane.flight.as_mut().filter(|flight| !flight.slow) {
                flight.slow = true;
                self.slow += 1;
            }
        }
        Some(id)
    }

    /// No probe is in flight for `id` any more.
    pub(crate) fn land(&mut self, id: u64) {
        self.give_up(id);
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if let Some(flight) = lane.flight.take() {
            self.in_flight -= 1;
            self.slow -= usize::from(flight.slow);
        }
        if lane.removed {
            self.lanes.remove(&id);
        } else {
            self.list(id);
        }
    }

    /// When there is something to do next; never, if only the end of a probe in flight can bring that about.
    pub(crate) fn next_moment(&self) -> Timestamp {
        let deadline = self.deadlines.first().map_or(Timestamp::NEVER, |(at, _)| *at);
        // A target that is known to be due, but was not taken yet, is still something to do.
        let due = self.choice().and_then(|id| self.lanes.get(&id)).map_or(Timestamp::NEVER, |lane| lane.next);
        let later = self.later.first().filter(|_| self.in_flight < self.most);
        deadline.min(due).min(later.map_or(Timestamp::NEVER, |(at, _)| *at))
    }

    /// Whether nothing is left.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        let queues = self.later.is_empty() && self.due.iter().all(BTreeSet::is_empty) && self.deadlines.is_empty();
        self.lanes.is_empty() && queues && self.in_flight == 0 && self.slow == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_nanos(1);

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    /// PR-05: targets beyond the limit queue in the order of their times.
    #[test]
    fn queues_in_the_order_of_the_moments() {
        let mut schedule = ProbeSchedule::new(1);
        schedule.set(1, at(30), SOON);
        schedule.set(2, at(10), SOON);
        schedule.set(3, at(20), SOON);
        assert_eq!((schedule.next_due(at(9)), schedule.next_moment()), (None, at(10)));
        for expected in [2, 3, 1] {
            assert_eq!(schedule.next_due(at(100)), Some(expected));
            schedule.launch(expected, at(200));
            assert_eq!((schedule.next_due(at(100)), schedule.next_moment()), (None, at(200)));
            schedule.land(expected);
        }
        assert_eq!((schedule.next_due(at(100)), schedule.next_moment()), (None, Timestamp::NEVER));
    }

    /// PR-05: whatever is requested, a target is not due while its probe is in flight.
    #[test]
    fn one_at_a_time_for_each() {
        let mut schedule = ProbeSchedule::new(8);
        schedule.set(1, at(10), SOON);
        schedule.launch(1, at(50));
        schedule.set(1, at(20), SOON);
        assert_eq!((schedule.next_due(at(40)), schedule.take_overdue(at(49))), (None, None));
        // Given up, it is still in flight.
        assert_eq!((schedule.take_overdue(at(50)), schedule.take_overdue(at(50))), (Some(1), None));
        assert_eq!((schedule.next_due(at(60)), schedule.next_moment()), (None, Timestamp::NEVER));
        schedule.land(1);
        assert_eq!((schedule.next_due(at(60)), schedule.next_moment()), (Some(1), at(20)));
    }

    /// PR-10: whenever a target is removed, nothing of it is left.
    #[test]
    fn nothing_is_left_of_what_was_removed() {
        let mut schedule = ProbeSchedule::new(4);
        for id in 0..6 {
            schedule.set(id, at(id), SOON);
        }
        // Waiting, in flight, given up, landed and due again, never due.
        schedule.launch(1, at(100));
        schedule.launch(2, at(100));
        schedule.give_up(2);
        schedule.launch(3, at(100));
        schedule.land(3);
        schedule.set(3, at(50), SOON);
        schedule.set(4, Timestamp::NEVER, SOON);
        (0..7).for_each(|id| schedule.remove(id));
        assert_eq!((schedule.next_moment(), schedule.next_due(at(1_000))), (Timestamp::NEVER, None));
        schedule.land(1);
        schedule.land(2);
        schedule.land(2);
        assert!(schedule.is_empty(), "{schedule:?}");
    }
}
