//! What a circuit breaker and a retry budget remember about recent calls.

pub(crate) mod buckets;
pub(crate) mod count_window;

use std::time::Duration;

use crate::machine::timestamp::Timestamp;
use crate::machine::window::buckets::{BucketCounts, Buckets};
use crate::machine::window::count_window::CountWindow;

/// How a call ended, as far as the rates are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) slow: u64,
}

impl Totals {
    fn add(&mut self, outcome: Outcome) {
        self.calls += 1;
        self.failures += u64::from(outcome.failed);
        self.slow += u64::from(outcome.slow);
    }

    /// Nothing but quick successes.
    pub(crate) fn spotless(&self) -> bool {
        self.failures == 0 && self.slow == 0
    }
}

impl BucketCounts for Totals {
    fn subtract(&mut self, gone: Totals) {
        self.calls -= gone.calls;
        self.failures -= gone.failures;
        self.slow -= gone.slow;
    }
}

/// Which window the rates are measured over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Calls(u32),
    Time(Duration),
}

/// The verdicts that a rate is measured over.
///
/// Quick successes may be counted elsewhere, without a lock, and are handed over in bulk to [`Window::absorb`]. That is
/// right for a count window because only the number of verdicts after a failure matters, not which were successes, and
/// for a time window because a bulk never spans two buckets.
#[derive(Debug)]
pub(crate) enum Window {
    Calls(CountWindow),
    Time(Box<Buckets<Totals>>),
}

impl Window {
    pub(crate) fn new(span: Span) -> Window {
        match span {
            Span::Calls(size) => Window::Calls(CountWindow::new(size)),
            Span::Time(span) => Window::Time(Box::new(Buckets::new(span))),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        match self {
            Window::Calls(window) => window.totals(),
            Window::Time(window) => window.sum(),
        }
    }

    /// Adds quick successes counted since the last call.
    pub(crate) fn absorb(&mut self, successes: u64) {
        match self {
            Window::Calls(window) => window.push_successes(successes),
            Window::Time(window) => window.count(|totals| totals.calls += successes),
        }
    }

    /// Evicts what is too old.
    pub(crate) fn evict(&mut self, now: Timestamp) {
        if let Window::Time(window) = self {
            window.rotate(now);
        }
    }

    pub(crate) fn record(&mut self, outcome: Outcome, now: Timestamp) {
        match self {
            Window::Calls(window) => window.push(outcome),
            Window::Time(window) => {
                window.rotate(now);
                window.count(|totals| totals.add(outcome));
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Window::Calls(window) => window.clear(),
            Window::Time(window) => window.clear(),
        }
    }

    /// Whether one more quick success would change nothing, because it would only push out another.
    pub(crate) fn full_and_spotless(&self) -> bool {
        match self {
            Window::Calls(window) => window.is_full() && window.totals().spotless(),
            Window::Time(_) => false,
        }
    }

    /// The time until which a bulk of successes may be gathered for [`Window::absorb`].
    pub(crate) fn bulk_ends(&self) -> Timestamp {
        match self {
            Window::Calls(_) => Timestamp::NEVER,
            Window::Time(window) => window.newest_ends(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCESS: Outcome = Outcome { failed: false, slow: false };
    const FAILURE: Outcome = Outcome { failed: true, slow: false };
    const SLOW: Outcome = Outcome { failed: false, slow: true };

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn count_window_slides_one_by_one() {
        let mut window = Window::new(Span::Calls(3));
        for (outcome, calls, failures, slow) in [
            (FAILURE, 1, 1, 0),
            (SUCCESS, 2, 1, 0),
            (SLOW, 3, 1, 1),
            (SUCCESS, 3, 0, 1),
            (SUCCESS, 3, 0, 1),
            (SUCCESS, 3, 0, 0),
            (FAILURE, 3, 1, 0),
        ] {
            window.record(outcome, at(0));
            assert_eq!(window.totals(), Totals { calls, failures, slow });
        }
    }

    /// CB-04: at least ten buckets; no verdict leaves before the span is over; each has left a tenth of the span later.
    #[test]
    fn time_window_keeps_a_verdict_for_the_span_and_a_tenth() {
        for span in [10, 19, 25, 100, 1_003] {
            for settled in [0, 1, 7, 99, 1_000_000_007] {
                let fresh = |age: u64| {
                    let mut window = Window::new(Span::Time(Duration::from_nanos(span)));
                    window.record(FAILURE, at(settled));
                    window.evict(at(settled + age));
                    window.totals().failures
                };
                for age in 0..span {
                    assert_eq!(fresh(age), 1, "span {span}, settled {settled}, age {age}");
                }
                for age in (span + span.div_ceil(10))..(2 * span + 20) {
                    assert_eq!(fresh(age), 0, "span {span}, settled {settled}, age {age}");
                }
            }
        }
    }

    /// CB-04: an idle gap of any length neither wedges the window nor costs more.
    #[test]
    fn time_window_after_an_idle_age() {
        for gap in [1, 10, 11, 12, 1_000, u64::MAX - 5] {
            for span in [1, 10, 10_000_000_000, u64::MAX] {
                let mut window = Window::new(Span::Time(Duration::from_nanos(span)));
                window.record(FAILURE, at(5));
                window.record(FAILURE, at(5 + gap));
                window.evict(at(5 + gap));
                assert!((1..=2).contains(&window.totals().failures));
                assert!(window.bulk_ends() > at(5 + gap) || window.bulk_ends() == Timestamp::NEVER);
            }
        }
    }

    #[test]
    fn a_bulk_belongs_to_the_bucket_it_was_gathered_in() {
        let mut window = Window::new(Span::Time(Duration::from_nanos(100)));
        window.record(SUCCESS, at(12));
        assert_eq!(window.bulk_ends(), at(20));
        window.absorb(4);
        window.evict(at(119));
        assert_eq!(window.totals().calls, 5);
        window.evict(at(120));
        assert_eq!(window.totals().calls, 0);
    }

    #[test]
    fn a_clock_that_seems_to_step_back_counts_in_the_newest_bucket() {
        let mut window = Window::new(Span::Time(Duration::from_nanos(100)));
        window.record(SUCCESS, at(50));
        window.record(FAILURE, at(49));
        assert_eq!(window.totals(), Totals { calls: 2, failures: 1, slow: 0 });
    }
}
