use std::collections::{BTreeMap, BTreeSet};

use crate::machine::moment::Moment;

/// Which target is probed when: never twice at once, and only so many at a time. What has to be waited for is one
/// moment, whatever the number of targets.
#[derive(Debug)]
pub(crate) struct Schedule {
    lanes: BTreeMap<u64, Lane>,
    /// Lanes that nothing is under way in, by their moment.
    due: BTreeSet<(Moment, u64)>,
    /// What is under way and has not been given up, by its deadline.
    deadlines: BTreeSet<(Moment, u64)>,
    in_flight: usize,
    most: usize,
}

#[derive(Debug)]
struct Lane {
    /// When it is due, once nothing is under way in it.
    next: Moment,
    flight: Option<Flight>,
    /// Goes away when what is under way has landed.
    removed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    deadline: Moment,
}

impl Schedule {
    pub(crate) fn new(most: usize) -> Schedule {
        Schedule { lanes: BTreeMap::new(), due: BTreeSet::new(), deadlines: BTreeSet::new(), in_flight: 0, most }
    }

    /// Makes `id` due at `next` and at no other time; never, with [`Moment::NEVER`]. While a probe is under way that is
    /// the earliest, and it has to land first.
    pub(crate) fn set(&mut self, id: u64, next: Moment) {
        let lane = self.lanes.entry(id).or_insert(Lane { next: Moment::NEVER, flight: None, removed: false });
        let before = std::mem::replace(&mut lane.next, next);
        if lane.flight.is_none() {
            self.due.remove(&(before, id));
            if next != Moment::NEVER {
                self.due.insert((next, id));
            }
        }
    }

    /// Takes a target off the list.
    pub(crate) fn remove(&mut self, id: u64) {
        self.set(id, Moment::NEVER);
        self.give_up(id);
        match self.lanes.get_mut(&id) {
            Some(lane) if lane.flight.is_some() => lane.removed = true,
            _ => drop(self.lanes.remove(&id)),
        }
    }

    /// What is under way for `id` is not waited for any longer; it still has to land.
    pub(crate) fn give_up(&mut self, id: u64) {
        if let Some(flight) = self.lanes.get(&id).and_then(|lane| lane.flight) {
            self.deadlines.remove(&(flight.deadline, id));
        }
    }

    /// The next target that is due, in the order of their moments, if there is room for its probe.
    pub(crate) fn next_due(&self, now: Moment) -> Option<u64> {
        let (at, id) = self.due.first().copied()?;
        (at <= now && self.in_flight < self.most).then_some(id)
    }

    /// A probe begins.
    pub(crate) fn launch(&mut self, id: u64, deadline: Moment) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        self.due.remove(&(lane.next, id));
        lane.next = Moment::NEVER;
        lane.flight = Some(Flight { deadline });
        if deadline != Moment::NEVER {
            self.deadlines.insert((deadline, id));
        }
        self.in_flight += 1;
    }

    /// The next target whose probe takes too long; it is not waited for any longer.
    pub(crate) fn take_overdue(&mut self, now: Moment) -> Option<u64> {
        let (at, id) = self.deadlines.first().copied()?;
        (at <= now).then(|| {
            self.deadlines.remove(&(at, id));
            id
        })
    }

    /// Nothing is under way for `id` any more.
    pub(crate) fn land(&mut self, id: u64) {
        self.give_up(id);
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.flight.take().is_some() {
            self.in_flight -= 1;
        }
        if lane.removed {
            self.lanes.remove(&id);
        } else if lane.next != Moment::NEVER {
            self.due.insert((lane.next, id));
        }
    }

    /// When there is something to do; never, if nothing but what is under way can bring it about.
    pub(crate) fn next_moment(&self) -> Moment {
        let deadline = self.deadlines.first().map_or(Moment::NEVER, |(at, _)| *at);
        let due = self.due.first().filter(|_| self.in_flight < self.most);
        deadline.min(due.map_or(Moment::NEVER, |(at, _)| *at))
    }

    /// Whether nothing is left behind.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.due.is_empty() && self.deadlines.is_empty() && self.in_flight == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    /// PR-05: beyond the bound targets queue in the order of their moments.
    #[test]
    fn queues_in_the_order_of_the_moments() {
        let mut schedule = Schedule::new(1);
        schedule.set(1, at(30));
        schedule.set(2, at(10));
        schedule.set(3, at(20));
        assert_eq!((schedule.next_due(at(9)), schedule.next_moment()), (None, at(10)));
        for expected in [2, 3, 1] {
            assert_eq!(schedule.next_due(at(100)), Some(expected));
            schedule.launch(expected, at(200));
            assert_eq!((schedule.next_due(at(100)), schedule.next_moment()), (None, at(200)));
            schedule.land(expected);
        }
        assert_eq!((schedule.next_due(at(100)), schedule.next_moment()), (None, Moment::NEVER));
    }

    /// PR-05: whatever is asked for, a target is not due while its probe is under way.
    #[test]
    fn one_at_a_time_for_each() {
        let mut schedule = Schedule::new(8);
        schedule.set(1, at(10));
        schedule.launch(1, at(50));
        schedule.set(1, at(20));
        assert_eq!((schedule.next_due(at(40)), schedule.take_overdue(at(49))), (None, None));
        // Given up, it is still there.
        assert_eq!((schedule.take_overdue(at(50)), schedule.take_overdue(at(50))), (Some(1), None));
        assert_eq!((schedule.next_due(at(60)), schedule.next_moment()), (None, Moment::NEVER));
        schedule.land(1);
        assert_eq!((schedule.next_due(at(60)), schedule.next_moment()), (Some(1), at(20)));
    }

    /// PR-10: whenever a target is removed, nothing of it is left.
    #[test]
    fn nothing_is_left_of_what_was_removed() {
        let mut schedule = Schedule::new(4);
        for id in 0..6 {
            schedule.set(id, at(id));
        }
        // Waiting, under way, given up, landed and due again, never due.
        schedule.launch(1, at(100));
        schedule.launch(2, at(100));
        schedule.give_up(2);
        schedule.launch(3, at(100));
        schedule.land(3);
        schedule.set(3, at(50));
        schedule.set(4, Moment::NEVER);
        (0..7).for_each(|id| schedule.remove(id));
        assert_eq!((schedule.next_moment(), schedule.next_due(at(1_000))), (Moment::NEVER, None));
        schedule.land(1);
        schedule.land(2);
        schedule.land(2);
        assert!(schedule.is_empty(), "{schedule:?}");
    }
}
