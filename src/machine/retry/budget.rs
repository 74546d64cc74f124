use std::time::Duration;

use crate::machine::ratio::Ratio;
use crate::machine::timestamp::Timestamp;
use crate::machine::window::buckets::{BucketCounts, Buckets};

/// The rules of a budget, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetSettings {
    pub(crate) ratio: Ratio,
    pub(crate) window: Duration,
    pub(crate) floor: u32,
    pub(crate) refill_per_second: u32,
}

impl Default for BudgetSettings {
    fn default() -> BudgetSettings {
        BudgetSettings { ratio: Ratio::ONE_IN_FIVE, window: Duration::from_secs(10), floor: 10, refill_per_second: 10 }
    }
}

/// A retry budget as a pure state machine: a number of retries for the requests of a window, plus a few more whatever
/// the traffic.
///
/// The window counts whole requests and whole retries, so that nothing but the result is rounded. A retry leaves the
/// window just as a request does: while the ratio pays for one, the requests of the window are worth all the retries in
/// it. No retry leaves before the requests that paid for it, so nothing can be spent twice.
#[derive(Debug)]
pub(crate) struct Budget {
    ratio: Ratio,
    window: Buckets<Flow>,
    floor: Floor,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    requests: u64,
    retries: u64,
}

impl BucketCounts for Flow {
    fn subtract(&mut self, gone: Flow) {
        self.requests -= gone.requests;
        self.retries -= gone.retries;
    }
}

impl Budget {
    pub(crate) fn new(settings: BudgetSettings, now: Timestamp) -> Budget {
        let BudgetSettings { ratio, window, floor, refill_per_second } = settings;
        let mut window = Buckets::new(window);
        window.rotate(now);
        Budget { ratio, window, floor: Floor::full(floor, refill_per_second, now) }
    }

    /// The time until which requests may be gathered for [`Budget::deposit`].
    pub(crate) fn bulk_ends(&self) -> Timestamp {
        self.window.newest_ends()
    }

    /// Adds requests that arrived before [`Budget::bulk_ends`].
    pub(crate) fn deposit(&mut self, requests: u64) {
        self.window.count(|flow| flow.requests += requests);
    }

    /// Evicts what has become too old, and refills the floor.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.window.rotate(now);
        self.floor.refill(now);
    }

    /// Takes one retry, if there is a token for it: the ratio's first, then the floor's.
    pub(crate) fn withdraw(&mut self) -> bool {
        if self.earned() > 0 {
            self.window.count(|flow| flow.retries += 1);
            return true;
        }
        self.floor.take()
    }

    /// How many retries there are tokens for.
    pub(crate) fn balance(&self) -> u64 {
        self.earned().saturating_add(self.floor.tokens())
    }

    /// What the window's requests are worth beyond its retries. There may be more retries, because they stay longer
    /// than the requests that paid for them.
    fn earned(&self) -> u64 {
        let Flow { requests, retries } = self.window.sum();
        self.ratio.wholes(requests).saturating_sub(retries)
    }
}

/// Tokens that accrue with time, up to a limit. Counted in billionths, because at a rate per second each nanosecond
/// adds a whole number of them.
#[derive(Debug)]
struct Floor {
    limit: u64,
    level: u64,
    refill_per_second: u32,
    as_of: Timestamp,
}

const TOKEN: u64 = 1_000_000_000;

impl Floor {
    fn full(tokens: u32, refill_per_second: u32, now: Timestamp) -> Floor {
        let limit = u64::from(tokens) * TOKEN;
        Floor { limit, level: limit, refill_per_second, as_of: now }
    }

    fn refill(&mut self, now: Timestamp) {
        // A clock read just before another thread's adds nothing, and must not add it twice.
        let elapsed = now.as_nanos().saturating_sub(self.as_of.as_nanos());
        let refill = elapsed.saturating_mul(self.refill_per_second.into());
        // The limit fits, so what does not is above it.
        self.level = self.level.saturating_add(refill).min(self.limit);
        self.as_of = self.as_of.max(now);
    }

    fn take(&mut self) -> bool {
        let left = self.level.checked_sub(TOKEN);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }

    fn tokens(&self) -> u64 {
        self.level / TOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn budget(ratio: f64, floor: u32, refill_per_second: u32) -> Budget {
        let ratio = Ratio::new(ratio).expect("in range");
        let window = Duration::from_secs(10);
        Budget::new(BudgetSettings { ratio, window, floor, refill_per_second }, at(0))
    }

    fn withdraw_all(budget: &mut Budget) -> u64 {
        let mut tokens = 0;
        while budget.withdraw() {
            tokens += 1;
        }
        tokens
    }

    /// RT-08: a retry takes one whole token, and a token is made of whole requests.
    #[test]
    fn one_token_for_so_many_requests() {
        for (ratio, requests, tokens) in
            [(0.2, 4, 0), (0.2, 5, 1), (0.2, 14, 2), (0.3, 9, 2), (0.3, 10, 3), (1.0, 7, 7), (0.6, 1, 0), (0.6, 5, 3)]
        {
            let mut budget = budget(ratio, 0, 0);
            budget.deposit(requests);
            assert_eq!(budget.balance(), tokens, "{ratio} of {requests}");
            assert_eq!(withdraw_all(&mut budget), tokens, "{ratio} of {requests}");
        }
    }

    /// RT-08: the floor starts full, refills at its rate and never holds more; the ratio's tokens are used first.
    #[test]
    fn floor() {
        let mut budget = budget(0.5, 10, 4);
        budget.deposit(6);
        assert_eq!(budget.balance(), 13);
        for left in (10..13).rev() {
            assert!(budget.withdraw());
            assert_eq!((budget.earned(), budget.floor.tokens()), (left - 10, 10));
        }
        assert_eq!(withdraw_all(&mut budget), 10);
        budget.advance(at(SECOND / 4 - 1));
        assert_eq!(budget.balance(), 0);
        budget.advance(at(SECOND / 4));
        assert_eq!(withdraw_all(&mut budget), 1);
        budget.advance(at(2 * SECOND));
        assert_eq!(withdraw_all(&mut budget), 7);
        budget.advance(at(1_000 * SECOND));
        assert_eq!(budget.balance(), 10);
    }

    /// RT-08: a request counts for the length of the window, and is gone a tenth of it later.
    #[test]
    fn requests_leave() {
        for made in [0, 1, SECOND - 1, 7 * SECOND + 3] {
            let left = |age| {
                let mut budget = budget(1.0, 0, 0);
                budget.advance(at(made));
                budget.deposit(3);
                budget.advance(at(made + age));
                budget.balance()
            };
            assert_eq!(left(10 * SECOND - 1), 3, "{made}");
            assert_eq!(left(11 * SECOND), 0, "{made}");
        }
    }

    /// RT-08: what was spent does not come back when new requests arrive, and does not weigh for ever.
    #[test]
    fn retries_leave_after_the_requests_that_paid() {
        let mut budget = budget(0.5, 0, 0);
        budget.deposit(10);
        budget.advance(at(9 * SECOND));
        assert_eq!(withdraw_all(&mut budget), 5);
        budget.advance(at(12 * SECOND));
        budget.deposit(10);
        // In the last ten seconds: 10 requests and 5 retries.
        assert_eq!(budget.balance(), 0);
        budget.advance(at(20 * SECOND));
        assert_eq!(budget.balance(), 5);
    }

    /// RT-08: an idle year costs nothing, and neither does a clock that seems to step back.
    #[test]
    fn idle() {
        let mut budget = budget(0.2, 10, u32::MAX);
        budget.deposit(100);
        budget.advance(at(365 * 24 * 3600 * SECOND));
        assert_eq!(withdraw_all(&mut budget), 10);
        budget.advance(at(0));
        assert_eq!(budget.balance(), 0);
        budget.advance(at(365 * 24 * 3600 * SECOND));
        assert_eq!(budget.balance(), 0);
        budget.advance(at(u64::MAX - 1));
        assert_eq!(budget.balance(), 10);
    }
}
