//! When a term is renewed, told to end, and over. Moments are durations since a beginning of the caller's choice.

use std::time::Duration;

/// What a term is measured by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) ttl: Duration,
    pub(crate) renew_every: Duration,
    pub(crate) retry_renew: Duration,
    pub(crate) stop_time: Duration,
    pub(crate) margin: Duration,
}

/// How long work that should be gone is given before it is named.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// How long a term that is over is given to be given back, before that is said of it: its work is dropped at the same
/// moment.
const EXPIRED_AFTER: Duration = Duration::from_millis(100);

/// One term, by its leader's own clock.
#[derive(Clone, Debug)]
pub(crate) struct TermClock {
    timing: Timing,
    deadline: Duration,
    /// Of the next renewal; none when it is to be renewed no more.
    due: Option<Duration>,
    told: Option<Duration>,
    /// It ends because its leader wants it to, so that renewals still move its deadline.
    winds_down: bool,
    is_hurried: bool,
    is_over: bool,
    was_expired: bool,
    /// When its work has to be gone.
    stop_by: Option<Duration>,
    was_named: bool,
}

/// What has become of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// No renewal succeeded in time: its work is told to end, and has until then.
    Told { stop_by: Duration },
    /// It winds down and could not be renewed: its work has until then, and no longer.
    Hurried { stop_by: Duration },
    /// Its deadline has passed, for so long, and it is still there.
    Expired { by: Duration },
    /// Its work should have gone, and has not; it was told so long ago.
    Stuck { told_for: Duration },
}

impl TermClock {
    /// `sent` is the moment before the acquisition was sent.
    pub(crate) fn granted(timing: Timing, sent: Duration) -> TermClock {
        TermClock {
            timing,
            deadline: sent + (timing.ttl - timing.margin),
            due: Some(sent + timing.renew_every),
            told: None,
            winds_down: false,
            is_hurried: false,
            is_over: false,
            was_expired: false,
            stop_by: None,
            was_named: false,
        }
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn is_told(&self) -> bool {
        self.told.is_some()
    }

    fn tell_at(&self) -> Duration {
        self.deadline.saturating_sub(self.timing.stop_time)
    }

    /// A renewal that was sent then was granted. Returns the new deadline, if it moves: told is told.
    pub(crate) fn renewed(&mut self, sent: Duration) -> Option<Duration> {
        self.due?;
        self.due = Some(sent + self.timing.renew_every);
        let moves = self.told.is_none() || (self.winds_down && !self.is_hurried);
        if moves {
            self.deadline = self.deadline.max(sent + (self.timing.ttl - self.timing.margin));
        }
        moves.then_some(self.deadline)
    }

    /// A renewal that was sent then got no answer, or met a locked row. One that hung has waited enough.
    pub(crate) fn not_renewed(&mut self, sent: Duration, now: Duration) {
        if self.due.is_some() {
            self.due = Some(now.max(sent + self.timing.retry_renew));
        }
    }

    /// The store says that it is gone; until when its work has time.
    pub(crate) fn lost(&mut self, now: Duration) -> Duration {
        let stop_by = now + self.timing.stop_time;
        let stop_by = self.stop_by.map_or(stop_by, |earlier| earlier.min(stop_by));
        self.told.get_or_insert(now);
        self.stop_by = Some(stop_by);
        (self.is_over, self.was_expired) = (true, true);
        self.due = None;
        stop_by
    }

    /// Its leader wants it to end by then, and to have it for as long.
    pub(crate) fn wind_down(&mut self, now: Duration, stop_by: Duration) {
        if self.told.is_none() {
            self.told = Some(now);
            self.winds_down = true;
            self.stop_by = Some(stop_by);
        }
    }

    /// It was asked to be renewed at once.
    pub(crate) fn renew_now(&mut self, now: Duration) {
        if self.due.is_some() {
            self.due = Some(now);
        }
    }

    /// When it is to be renewed.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// The next thing that has happened by now, until there is none.
    pub(crate) fn look(&mut self, now: Duration) -> Option<Change> {
        if !self.is_over && now >= self.tell_at() {
            if self.told.is_none() {
                // One that finds out late has its stop time all the same.
                let stop_by = if now < self.deadline { self.deadline } else { now + self.timing.stop_time };
                self.told = Some(now);
                self.stop_by = Some(stop_by);
                return Some(Change::Told { stop_by });
            }
            if self.winds_down && !self.is_hurried {
                self.is_hurried = true;
                let stop_by = self.stop_by.map_or(self.deadline, |earlier| earlier.min(self.deadline));
                self.stop_by = Some(stop_by);
                return Some(Change::Hurried { stop_by });
            }
        }
        if !self.is_over && now >= self.deadline {
            self.is_over = true;
            self.due = None;
        }
        if self.is_over && !self.was_expired && now >= self.deadline + EXPIRED_AFTER {
            self.was_expired = true;
            return Some(Change::Expired { by: now - self.deadline });
        }
        if let (Some(stop_by), Some(told)) = (self.stop_by, self.told) {
            if now >= stop_by {
                // Whoever does not let go is waited for by nobody.
                self.due = None;
            }
            if !self.was_named && now >= stop_by.saturating_add(STUCK_AFTER) {
                self.was_named = true;
                return Some(Change::Stuck { told_for: now.saturating_sub(told) });
            }
        }
        None
    }

    /// When to look again, at the latest.
    pub(crate) fn next_look(&self) -> Option<Duration> {
        self.next_change().into_iter().chain(self.due).min()
    }

    /// The same but for renewals.
    pub(crate) fn next_change(&self) -> Option<Duration> {
        let mut looks = [None; 5];
        looks[4] = (!self.was_expired).then(|| self.deadline + EXPIRED_AFTER);
        if !self.is_over {
            let is_to_be_told = self.told.is_none() || (self.winds_down && !self.is_hurried);
            looks[0] = is_to_be_told.then(|| self.tell_at());
            looks[1] = Some(self.deadline);
        }
        if let Some(stop_by) = self.stop_by {
            looks[2] = self.due.map(|_| stop_by);
            looks[3] = (!self.was_named).then(|| stop_by.saturating_add(STUCK_AFTER));
        }
        looks.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing {
        ttl: seconds(15),
        renew_every: seconds(5),
        retry_renew: seconds(1),
        stop_time: seconds(3),
        margin: seconds(1),
    };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn changes(term: &mut TermClock, now: u64) -> Vec<Change> {
        std::iter::from_fn(|| term.look(seconds(now))).collect()
    }

    /// LE-05: counted from when the last good renewal was sent, told at 11 s, over at 14 s; each once.
    #[test]
    fn told_then_over() {
        let mut term = TermClock::granted(TIMING, seconds(100));
        assert_eq!((term.due(), term.deadline()), (Some(seconds(105)), seconds(114)));
        assert_eq!(term.next_look(), Some(seconds(105)));
        assert_eq!(term.renewed(seconds(105)), Some(seconds(119)));
        term.not_renewed(seconds(110), seconds(110));
        assert_eq!(term.due(), Some(seconds(111)));
        term.not_renewed(seconds(111), seconds(113));
        assert_eq!(term.due(), Some(seconds(113)));
        assert!(changes(&mut term, 115).is_empty());
        assert_eq!(changes(&mut term, 116), [Change::Told { stop_by: seconds(119) }]);
        assert!(changes(&mut term, 118).is_empty());
        assert_eq!((changes(&mut term, 119), term.due()), (vec![], None));
        assert_eq!(term.next_look(), Some(Duration::from_millis(119_100)));
        assert_eq!(term.look(Duration::from_millis(119_099)), None);
        let by = Duration::from_millis(100);
        assert_eq!(term.look(Duration::from_millis(119_100)), Some(Change::Expired { by }));
        assert_eq!(changes(&mut term, 121), [Change::Stuck { told_for: seconds(5) }]);
        assert_eq!((changes(&mut term, 500), term.next_look()), (vec![], None));
    }

    /// LE-06: a renewal that succeeds after that does not bring the term back, although it is asked for.
    #[test]
    fn told_is_told() {
        let mut term = TermClock::granted(TIMING, seconds(0));
        assert_eq!(changes(&mut term, 11), [Change::Told { stop_by: seconds(14) }]);
        assert_eq!(term.due(), Some(seconds(5)));
        assert_eq!(term.renewed(seconds(12)), None);
        assert_eq!((term.deadline(), term.due()), (seconds(14), Some(seconds(17))));
        assert_eq!((changes(&mut term, 14), term.due()), (vec![], None));
        assert_eq!(term.renewed(seconds(14)), None);
    }

    /// LE-05: one that was stopped finds its time over at its first look, and has its stop time all the same.
    #[test]
    fn found_out_late() {
        let mut term = TermClock::granted(TIMING, seconds(0));
        let expected = [Change::Told { stop_by: seconds(43) }, Change::Expired { by: seconds(26) }];
        assert_eq!(changes(&mut term, 40), expected);
    }

    /// LE-11: what the store says is gone is over at once, and its work has its stop time.
    #[test]
    fn lost() {
        let mut term = TermClock::granted(TIMING, seconds(0));
        assert_eq!(term.lost(seconds(5)), seconds(8));
        assert_eq!(term.renewed(seconds(5)), None);
        assert_eq!((changes(&mut term, 8), term.next_look()), (vec![], Some(seconds(9))));
        // Told already: no longer than it had.
        let mut term = TermClock::granted(TIMING, seconds(0));
        changes(&mut term, 11);
        assert_eq!(term.lost(seconds(13)), seconds(14));
    }

    /// LE-34: what winds down is renewed all the while, and not after it; if that fails its work has until its deadline.
    #[test]
    fn winds_down() {
        let mut term = TermClock::granted(TIMING, seconds(0));
        term.wind_down(seconds(4), seconds(14));
        assert_eq!(term.renewed(seconds(5)), Some(seconds(19)));
        assert_eq!(term.renewed(seconds(10)), Some(seconds(24)));
        assert!(changes(&mut term, 13).is_empty());
        assert_eq!(term.due(), Some(seconds(15)));
        assert!(changes(&mut term, 14).is_empty());
        assert_eq!(term.due(), None);
        assert_eq!(changes(&mut term, 15), [Change::Stuck { told_for: seconds(11) }]);

        let mut cut_off = TermClock::granted(TIMING, seconds(0));
        cut_off.wind_down(seconds(4), seconds(1_000));
        assert_eq!(changes(&mut cut_off, 11), [Change::Hurried { stop_by: seconds(14) }]);
        assert_eq!(cut_off.renewed(seconds(12)), None);
        assert!(changes(&mut cut_off, 14).is_empty());
        let expected = [Change::Expired { by: seconds(1) }, Change::Stuck { told_for: seconds(11) }];
        assert_eq!(changes(&mut cut_off, 15), expected);
    }

    /// LE-05: without a stop time it is told when it is over.
    #[test]
    fn no_stop_time() {
        let mut term = TermClock::granted(Timing { stop_time: Duration::ZERO, ..TIMING }, seconds(0));
        assert!(changes(&mut term, 13).is_empty());
        assert_eq!(changes(&mut term, 14), [Change::Told { stop_by: seconds(14) }]);
        assert_eq!(term.due(), None);
    }
}
