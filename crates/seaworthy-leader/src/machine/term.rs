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

    /// A renewal that was sent then was granted. Returns the new deadline, if it moves: told is told, and over is over,
    /// although nobody has looked yet.
    pub(crate) fn renewed(&mut self, sent: Duration, now: Duration) -> Option<Duration> {
        self.due?;
        if now >= self.deadline {
            self.due = None;
            return None;
        }
        self.due = Some(sent + self.timing.renew_every);
        let moves = self.told.is_none() || (self.winds_down && !self.is_hurried);
        if moves {
            self.deadline = self.deadline.max(sent + (self.timing.ttl - self.timing.margin));
        }
        moves.then_some(self.deadline)
    }

    /// Somebody found it over, by a clock that had gone on before this renewal was noted: it is.
    pub(crate) fn found_over(&mut self, now: Duration) {
        self.deadline = self.deadline.min(now);
        self.due = None;
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
mod tests;
