use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::ratio::Ratio;
use crate::machine::retry::budget::{Budget, BudgetSettings};
use crate::machine::timestamp::Timestamp;
use crate::observe::event::Balance;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;

/// Limits retries to a share of the requests, so that they do not finish off a backend that is failing.
///
/// Each request deposits its share of a token, and each retry withdraws a whole token or does not happen. By default,
/// 20 % of the requests of the last 10 s may be retries. A floor of 10 tokens, refilled at 10 per second, lets a client
/// with little traffic retry as well; the tokens earned by requests are spent first.
///
/// This is a handle to shared state: clones share one budget, and so should two policies for the same backend. A
/// [`RetryPolicy`](crate::RetryPolicy) has its own budget unless it is given one.
///
/// It is never overdrawn, whatever the ratio and however many threads deposit and withdraw: there are never more
/// retries than the ratio's share of the requests, plus the floor. A ratio is taken as the fraction it was written as:
/// 0.3 is three in ten, and ten requests pay for three retries.
///
/// A request counts for the length of the window and is gone a tenth of it later. So does a retry paid for by requests:
/// after a burst of them, the window must hold enough requests for all of them before it pays for another.
///
/// # Clone
/// Costs a reference count.
///
/// ```
/// use seaworthy::RetryBudget;
/// use std::time::Duration;
///
/// let budget = RetryBudget::builder().ratio(0.1).window(Duration::from_secs(30)).floor(2).build()?;
/// assert_eq!(budget.balance(), 2);
/// for _request in 0..10 {
///     budget.deposit();
/// }
/// assert_eq!(budget.balance(), 3);
/// assert!(budget.withdraw());
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RetryBudget(Arc<Shared>);

/// Requests are gathered without the lock, which only the first request of each bucket and every retry take.
struct Shared {
    gathered: Gathered,
    locked: Mutex<Budget>,
}

/// It has a cache line to itself, because every request writes to it.
#[repr(align(64))]
struct Gathered {
    /// Requests since the lock was last held. A request happens when it is added here: if its thread was held up after
    /// it read the clock, it counts in the bucket that is the newest by then, or in an older one.
    requests: AtomicU64,
    /// When the newest bucket ends; this only moves forward.
    ends: AtomicU64,
}

impl RetryBudget {
    /// Starts a builder.
    pub fn builder() -> RetryBudgetBuilder {
        RetryBudgetBuilder::default()
    }

    fn new(settings: BudgetSettings) -> RetryBudget {
        let budget = Budget::new(settings, time::now());
        let gathered = Gathered { requests: AtomicU64::new(0), ends: AtomicU64::new(budget.bulk_ends().as_nanos()) };
        RetryBudget(Arc::new(Shared { gathered, locked: Mutex::new(budget) }))
    }

    /// Counts a request. [`RetryService`](super::RetryService) does so once per request, before the first attempt.
    pub fn deposit(&self) {
        self.deposit_at(time::now());
    }

    #[inline]
    pub(super) fn deposit_at(&self, now: Timestamp) {
        let Gathered { requests, ends } = &self.0.gathered;
        if now.as_nanos() < ends.load(Ordering::Acquire) {
            requests.fetch_add(1, Ordering::AcqRel);
        } else {
            self.deposit_first(now);
        }
    }

    /// For the first request of a bucket.
    #[cold]
    fn deposit_first(&self, now: Timestamp) {
        self.with_lock(now, |budget| budget.deposit(1));
    }

    /// Takes the token for a retry, if there is one. It cannot be returned.
    #[must_use = "without a token there should be no retry"]
    pub fn withdraw(&self) -> bool {
        self.withdraw_at(time::now())
    }

    pub(super) fn withdraw_at(&self, now: Timestamp) -> bool {
        self.with_lock(now, Budget::withdraw)
    }

    /// How many retries there are tokens for at this moment, including those of the floor.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.with_lock(time::now(), |budget| budget.balance())
    }

    fn with_lock<T>(&self, now: Timestamp, work: impl FnOnce(&mut Budget) -> T) -> T {
        let Gathered { requests, ends } = &self.0.gathered;
        let mut budget = self.0.locked.lock();
        // They belong to what was the newest bucket until now.
        budget.deposit(requests.swap(0, Ordering::AcqRel));
        budget.advance(now);
        ends.store(budget.bulk_ends().as_nanos(), Ordering::Release);
        work(&mut budget)
    }
}

impl Balance for RetryBudget {
    fn balance(&self) -> u64 {
        RetryBudget::balance(self)
    }
}

/// 20 % over 10 s, and a floor of 10 that refills at 10 per second.
impl Default for RetryBudget {
    fn default() -> RetryBudget {
        RetryBudget::new(BudgetSettings::default())
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("balance", &self.balance()).finish_non_exhaustive()
    }
}

/// The settings of a [`RetryBudget`]. Made by [`RetryBudget::builder`]; nothing is checked before
/// [`build`](Self::build).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct RetryBudgetBuilder {
    /// The ratio as it was given, which replaces the one in `settings`.
    ratio: Option<f64>,
    settings: BudgetSettings,
}

impl RetryBudgetBuilder {
    /// Lets this share of the requests be retries. Above 0, at most 1; 0.2 if not set.
    pub fn ratio(mut self, ratio: f64) -> RetryBudgetBuilder {
        self.ratio = Some(ratio);
        self
    }

    /// Counts the requests of this span of time. More than zero; 10 s if not set. With a duration the clock cannot
    /// represent, requests count for ever.
    pub fn window(mut self, window: Duration) -> RetryBudgetBuilder {
        self.settings.window = window;
        self
    }

    /// Allows this many retries whatever the traffic; the floor starts full. 10 if not set; zero means no floor.
    pub fn floor(mut self, tokens: u32) -> RetryBudgetBuilder {
        self.settings.floor = tokens;
        self
    }

    /// Refills the floor at this many tokens per second, up to what it started with. 10 if not set; if zero, the floor
    /// can be used up only once.
    pub fn refill_per_second(mut self, tokens: u32) -> RetryBudgetBuilder {
        self.settings.refill_per_second = tokens;
        self
    }

    /// Checks the settings and builds a budget.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and which rule.
    pub fn build(self) -> Result<RetryBudget, ConfigError> {
        let (budget, mut settings) = (Subject::of("retry budget"), self.settings);
        budget.ratio("ratio", self.ratio)?;
        settings.ratio = self.ratio.and_then(Ratio::new).unwrap_or(settings.ratio);
        budget.time("window", settings.window)?;
        Ok(RetryBudget::new(settings))
    }
}
