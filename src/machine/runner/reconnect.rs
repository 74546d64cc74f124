use std::time::Duration;

use crate::machine::Rng;
use crate::machine::retry::backoff::Backoff;

/// From one connection's beginning to the next one's, whatever the settings: no more than 60 a minute.
const LEAST: Duration = Duration::from_secs(1);

/// A connection that has lived for this long was healthy, and the waits start over.
const STABLE: Duration = Duration::from_secs(30);

/// How long is waited before a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReconnectWait {
    /// Uniform in between.
    Between(Duration, Duration),
    /// Longer each time.
    Growing(Backoff),
}

/// The waits between connections of a loop that follows a stream.
#[derive(Clone, Debug)]
pub(crate) struct Reconnects {
    wait: ReconnectWait,
    in_a_row: u32,
}

impl Reconnects {
    pub(crate) fn new(wait: ReconnectWait) -> Reconnects {
        Reconnects { wait, in_a_row: 0 }
    }

    /// After a connection that has lived for `lived`, and was useful if it gave anything.
    pub(crate) fn ended(&mut self, lived: Duration, was_useful: bool, rng: Rng<'_>) -> Duration {
        if was_useful || lived >= STABLE {
            self.in_a_row = 0;
        }
        let wait = self.draw(rng);
        self.in_a_row = self.in_a_row.saturating_add(1);
        wait.max(LEAST.saturating_sub(lived))
    }

    /// Before the first connection, so that those who start together do not come together; and before others, if they
    /// may come as soon.
    pub(crate) fn draw(&self, rng: Rng<'_>) -> Duration {
        match self.wait {
            ReconnectWait::Between(least, most) => {
                let spread = most.saturating_sub(least);
                // A spread that is too long to multiply is one that the clock cannot represent.
                let share = Duration::try_from_secs_f64(spread.as_secs_f64() * rng()).unwrap_or(spread);
                least.saturating_add(share.min(spread))
            }
            ReconnectWait::Growing(backoff) => backoff.delay(self.in_a_row, rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::retry::backoff::Jitter;

    const SECOND: Duration = Duration::from_secs(1);

    /// WF-02: uniform between both ends, and the ends themselves.
    #[test]
    fn uniform() {
        let mut reconnects = Reconnects::new(ReconnectWait::Between(SECOND, 5 * SECOND));
        let mut after = |fraction| reconnects.ended(9 * SECOND, false, &mut || fraction);
        assert_eq!([0.0, 0.5, 0.75].map(&mut after), [SECOND, 3 * SECOND, 4 * SECOND]);
        assert!(after(1.0 - f64::EPSILON) <= 5 * SECOND);
        let endless = Reconnects::new(ReconnectWait::Between(SECOND, Duration::MAX));
        assert!(endless.draw(&mut || 0.999) > 1_000_000 * SECOND);
    }

    /// WF-02: a backoff grows, and starts over after a connection that gave something or lived for 30 s.
    #[test]
    fn growing() {
        let backoff = Backoff::exponential(SECOND, 8 * SECOND).jitter(Jitter::None);
        let mut reconnects = Reconnects::new(ReconnectWait::Growing(backoff));
        let mut after = |lived, useful| reconnects.ended(lived, useful, &mut || 0.0).as_secs();
        let nothing = Duration::ZERO;
        assert_eq!([(); 5].map(|()| after(nothing, false)), [1, 2, 4, 8, 8]);
        assert_eq!([after(nothing, true), after(nothing, false)], [1, 2]);
        assert_eq!([after(STABLE, false), after(STABLE - Duration::from_nanos(1), false)], [1, 2]);
    }

    /// WF-02: never more than one connection a second, however short the wait is.
    #[test]
    fn one_a_second_at_most() {
        let wait = ReconnectWait::Growing(Backoff::constant(Duration::from_millis(1)));
        let mut reconnects = Reconnects::new(wait);
        let mut after = |millis| reconnects.ended(Duration::from_millis(millis), true, &mut || 0.0).as_millis();
        assert_eq!([0, 400, 999, 5_000].map(&mut after), [1_000, 600, 1, 1]);
    }
}
