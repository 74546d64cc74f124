use std::time::Duration;

use crate::micros;

/// A lease that was granted or renewed at one moment and ends at another, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// When it was granted or renewed.
    pub from: i64,
    /// When it is over.
    pub until: i64,
}

impl Lease {
    /// Lasts for `length` from `now`.
    #[must_use]
    pub fn starting(now: i64, length: Duration) -> Lease {
        Lease { from: now, until: now.saturating_add(micros::of(length)) }
    }

    /// What is left of it, if anything. A clock that shows a time further before its start than it is long was stepped
    /// back, and would let it last for who knows how long: it is over. One that was stepped back by less does not make
    /// it longer than it is.
    #[must_use]
    pub fn left(self, now: i64) -> Option<Duration> {
        let length = self.until.saturating_sub(self.from);
        if now >= self.until || now < self.from.saturating_sub(length) {
            return None;
        }
        Some(micros::span(self.until.saturating_sub(now).min(length)))
    }
}
