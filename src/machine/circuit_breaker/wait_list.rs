use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::machine::timestamp::Timestamp;

/// Those that wait until a circuit breaker lets calls pass, in order of arrival.
///
/// Each sleeps until it is called or its own timer goes off, and then either comes back to [`sleep`](WaitList::sleep)
/// or [`leave`](WaitList::leave)s. Only as many are called as calls may pass. The timer of the first goes off when a
/// call may pass again, and that of each of the others a little after that of the one before it. So those behind a
/// waiter that was called or whose timer went off, and that does nothing about it, are only late.
#[derive(Debug)]
pub(crate) struct WaitList<W> {
    last_id: u64,
    asleep: BTreeMap<u64, Sleeper<W>>,
    /// They were called in this generation, and have neither come back nor left.
    called: BTreeSet<u64>,
    /// The latest time that any of those asleep waits for.
    latest: Timestamp,
}

/// Someone who waits, and when its timer goes off.
#[derive(Debug, PartialEq)]
pub(crate) struct Sleeper<W> {
    pub(crate) who: W,
    timer: Timestamp,
}

/// By how much later the timer of each goes off than that of the one before it. Timers are no finer.
const STEP: Duration = Duration::from_millis(1);

const EARLIEST: Timestamp = Timestamp::from_nanos(0);

impl<W> Default for WaitList<W> {
    fn default() -> WaitList<W> {
        WaitList { last_id: 0, asleep: BTreeMap::new(), called: BTreeSet::new(), latest: EARLIEST }
    }
}

impl<W> WaitList<W> {
    pub(crate) fn is_empty(&self) -> bool {
        self.asleep.is_empty()
    }

    /// Puts `who` to sleep, because no call may pass before `until`: at its old place if it has an `id`, otherwise at
    /// the end, with a new one. Returns when its timer has to go off, and what it replaces.
    pub(crate) fn sleep(&mut self, id: &mut u64, who: W, until: Timestamp) -> (Timestamp, Option<W>) {
        if *id == 0 {
            self.last_id += 1;
            *id = self.last_id;
        }
        self.called.remove(id);
        let replaced = self.asleep.remove(id);
        let first = self.asleep.keys().next().map_or(*id, |first| *first);
        // At most this many are before it. It does not matter that some of them may have left.
        let before = id.saturating_sub(first).min(self.asleep.len() as u64);
        let timer = until.after(STEP.saturating_mul(u32::try_from(before).unwrap_or(u32::MAX)));
        self.latest = self.latest.max(until);
        self.asleep.insert(*id, Sleeper { who, timer });
        (timer, replaced.map(|sleeper| sleeper.who))
    }

    /// It waits no longer, because it is gone or a call of it may pass.
    pub(crate) fn leave(&mut self, id: u64) -> Option<W> {
        self.called.remove(&id);
        self.asleep.remove(&id).map(|sleeper| sleeper.who)
    }

    /// Nobody is counted on any more: what they were called for is over.
    pub(crate) fn start_over(&mut self) {
        self.called.clear();
    }

    /// Calls all of them: every call passes.
    pub(crate) fn call_all(&mut self) -> BTreeMap<u64, Sleeper<W>> {
        self.called.clear();
        self.latest = EARLIEST;
        std::mem::take(&mut self.asleep)
    }

    /// Calls the first, because at `now` this many calls may pass. Those that were called and are still expected count.
    /// Calls all if any of them would go on sleeping for more than about `patience` if those before it do nothing.
    pub(crate) fn call(&mut self, calls: u32, now: Timestamp, patience: Duration) -> BTreeMap<u64, Sleeper<W>> {
        if self.latest > now.after(patience) {
            return self.call_all();
        }
        let mut called = BTreeMap::new();
        while self.called.len() < calls as usize {
            let Some((id, sleeper)) = self.asleep.pop_first() else { break };
            // One whose timer has gone off without effect may never come.
            if sleeper.timer > now {
                self.called.insert(id);
            }
            called.insert(id, sleeper);
        }
        called
    }

    /// No call may pass before `until`. Calls the first, unless its timer goes off by then or one that was called
    /// before will come back. Calls all if any of them might sleep for more than about `patience` beyond that.
    pub(crate) fn expect(&mut self, until: Timestamp, patience: Duration) -> BTreeMap<u64, Sleeper<W>> {
        if self.latest > until.after(patience) {
            return self.call_all();
        }
        let mut called = BTreeMap::new();
        if self.called.is_empty() {
            if let Some(first) = self.asleep.first_entry().filter(|first| first.get().timer > until) {
                self.called.insert(*first.key());
                called.extend([first.remove_entry()]);
            }
        }
        called
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PATIENCE: Duration = SECOND;

    fn at(span: Duration) -> Timestamp {
        Timestamp::from_nanos(0).after(span)
    }

    /// A list of waiters whose ids and names are 1, 2 and so on, and when their timers go off.
    fn asleep<const WAITERS: usize>(until: Duration) -> (WaitList<u64>, [Timestamp; WAITERS]) {
        let mut list = WaitList::default();
        let mut name = 0;
        let timers = [(); WAITERS].map(|()| {
            name += 1;
            let mut id = 0;
            let (timer, replaced) = list.sleep(&mut id, name, at(until));
            assert_eq!((id, replaced), (name, None));
            timer
        });
        (list, timers)
    }

    fn back(list: &mut WaitList<u64>, who: u64, until: Duration) -> Timestamp {
        let mut id = who;
        let (timer, _) = list.sleep(&mut id, who, at(until));
        assert_eq!(id, who);
        timer
    }

    fn names(called: BTreeMap<u64, Sleeper<u64>>) -> Vec<u64> {
        called.into_values().map(|sleeper| sleeper.who).collect()
    }

    fn call(list: &mut WaitList<u64>, calls: u32, now: Duration) -> Vec<u64> {
        names(list.call(calls, at(now), PATIENCE))
    }

    /// CB-31: the first looks when the time is over, and each of the others a millisecond after the one before it.
    #[test]
    fn timers_go_off_one_after_another() {
        let (mut list, timers) = asleep::<4>(SECOND);
        assert_eq!(timers, [0, 1, 2, 3].map(|ms| at(SECOND + ms * STEP)));
        // One that comes back keeps its place, and one that comes back to the place of the first is the first.
        assert_eq!(back(&mut list, 3, 2 * SECOND), at(2 * SECOND + 2 * STEP));
        assert_eq!(list.leave(1), Some(1));
        assert_eq!(back(&mut list, 2, 2 * SECOND), at(2 * SECOND));
        // Numbers of those that have left do not delay the others by more than the number of those that are there.
        let mut list = WaitList::default();
        for name in 0..1_000 {
            let mut id = 0;
            list.sleep(&mut id, name, at(SECOND));
            if name > 0 {
                list.leave(id);
            }
        }
        assert_eq!(list.sleep(&mut 0, 7, at(SECOND)).0, at(SECOND + STEP));
        assert_eq!(list.sleep(&mut 0, 8, Timestamp::NEVER).0, Timestamp::NEVER);
    }

    /// CB-31: as many are called as calls may pass, in order, and those that are on their way count.
    #[test]
    fn no_more_are_called_than_may_pass() {
        let (mut list, _) = asleep::<6>(SECOND);
        let now = Duration::ZERO;
        assert_eq!(call(&mut list, 2, now), [1, 2]);
        assert_eq!(call(&mut list, 2, now), []);
        assert_eq!(call(&mut list, 3, now), [3]);
        // One leaves, whether its call may pass or it is gone: the next one is called in its place.
        assert_eq!((list.leave(2), call(&mut list, 3, now)), (None, vec![4]));
        // One comes back and is called again, before those that came later.
        back(&mut list, 1, SECOND);
        assert_eq!(call(&mut list, 3, now), [1]);
        list.start_over();
        assert_eq!(call(&mut list, 1, now), [5]);
        assert_eq!(names(list.call_all()), [6]);
        assert!(list.is_empty() && call(&mut list, 9, now).is_empty());
    }

    /// CB-31: nobody counts on one whose timer has gone off without effect.
    #[test]
    fn one_that_does_not_hear_its_timer() {
        let (mut list, _) = asleep::<4>(SECOND);
        assert_eq!(call(&mut list, 1, SECOND + STEP), [1, 2, 3]);
        assert_eq!(call(&mut list, 1, SECOND + STEP), []);
    }

    /// CB-31: someone looks when the time is over, whatever time the waiters had been told before.
    #[test]
    fn someone_looks_in_time() {
        let expect = |list: &mut WaitList<u64>, until| names(list.expect(at(until), PATIENCE));
        let (mut list, _) = asleep::<4>(SECOND);
        assert_eq!([expect(&mut list, SECOND), expect(&mut list, 2 * SECOND)], [[]; 2]);
        // Earlier: the first sets its timer again, and if it does not, the next.
        assert_eq!(expect(&mut list, SECOND / 2), [1]);
        assert_eq!(expect(&mut list, SECOND / 2), []);
        list.leave(1);
        assert_eq!(expect(&mut list, SECOND / 2), [2]);
        assert_eq!((back(&mut list, 2, SECOND / 2), expect(&mut list, SECOND / 2)), (at(SECOND / 2), vec![]));
        // Much earlier: all of them, because some would sleep on for too long.
        back(&mut list, 4, 5 * SECOND);
        assert_eq!(expect(&mut list, 4 * SECOND), []);
        assert_eq!(expect(&mut list, 4 * SECOND - STEP), [2, 3, 4]);
        let (mut list, _) = asleep::<2>(Duration::MAX);
        assert_eq!(names(list.expect(Timestamp::NEVER, PATIENCE)), []);
        assert_eq!(expect(&mut list, SECOND), [1, 2]);
    }

    /// CB-31: where those behind would sleep on for too long if the first did nothing, all are called.
    #[test]
    fn long_sleepers_are_called_together() {
        let (mut list, _) = asleep::<3>(SECOND + STEP);
        assert_eq!(call(&mut list, 1, Duration::ZERO), [1, 2, 3]);
        let (mut list, _) = asleep::<3>(SECOND);
        assert_eq!(call(&mut list, 1, Duration::ZERO), [1]);
    }
}
