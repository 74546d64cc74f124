use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seaworthy_store::time::{Instant, now, wall};

/// The row clock: tokio's, counted from when the store was made. The wall clock is read once, to have a date for the
/// beginning, so that stepping it changes nothing.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    date: SystemTime,
}

impl Clock {
    pub(super) fn started() -> Clock {
        let date = UNIX_EPOCH.checked_add(wall()).unwrap_or(UNIX_EPOCH);
        Clock { start: now(), date }
    }

    pub(super) fn now(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }

    pub(super) fn date(&self, moment: Duration) -> SystemTime {
        self.date.checked_add(moment).unwrap_or(self.date)
    }
}
