use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::ratio::Ratio;
use crate::machine::retry::budget::{Budget, BudgetSettings};
use crate::machine::timestamp::Timestamp;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;

/// Keeps retries to a share of the requests, so that they do not finish off a backend that is failing.
///
/// Each request deposits its share of a token, and each retry withdraws a whole one or does not take place. By default
/// 20 % of the requests of the last 10 s may be retries. A floor of 10 tokens, which refills at 10 a second, lets
/// a client with little traffic retry, too; the ratio's tokens are spent first.
///
/// This is a handle that owns the state: everything that was given the same budget shares it, and two policies for one
/// backend should. A [`RetryPolicy`](super::RetryPolicy) has one of its own unless it is given another.
///
/// It is never overdrawn, whatever the ratio and however many threads deposit and withdraw: retries are at most the
/// ratio's share of the requests, and the floor. A ratio is taken as the fraction that it was written as: 0.3 is three
/// in ten, and ten requests pay for three retries.
///
/// A request counts for the window and is gone a tenth of it later. So does a retry that the ratio paid for: after
/// a burst of them, the window has to hold enough requests for all of them before it pays for another.
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

/// Requests are gathered without the lock, which is taken by the first of each bucket and by every retry.
struct Shared {
    gathered: Gathered,
    locked: Mutex<Budget>,
}

/// It has a cache line of its own: every request writes it.
#[repr(align(64))]
struct Gathered {
    /// Requests since somebody last held the lock. A request happens when it is added here: if its thread was held up
    /// after it read the clock, it counts in the bucket that is the newest by then, or in one that is older.
    requests: AtomicU64,
    /// When the newest bucket ends, which only moves on.
    ends: AtomicU64,
}

impl RetryBudget {
    /// Sets up a budget.
    pub fn builder() -> RetryBudgetBuilder {
        RetryBudgetBuilder::default()
    }

    fn new(settings: BudgetSettings) -> RetryBudget {
        let budget = Budget::new(settings, time::now());
        let gathered = Gathered { requests: AtomicU64::new(0), ends: AtomicU64::new(budget.bulk_ends().as_nanos()) };
        RetryBudget(Arc::new(Shared { gathered, locked: Mutex::new(budget) }))
    }

    /// Counts a request. [`RetryService`](super::RetryService) does so once for each, before its first attempt.
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

    /// The first request of a bucket.
    #[cold]
    fn deposit_first(&self, now: Timestamp) {
        self.with_lock(now, |budget| budget.deposit(1));
    }

    /// Takes the token for a retry, if there is one. It cannot be given back.
    #[must_use = "without a token there should be no retry"]
    pub fn withdraw(&self) -> bool {
        self.withdraw_at(time::now())
    }

    pub(super) fn withdraw_at(&self, now: Timestamp) -> bool {
        self.with_lock(now, Budget::withdraw)
    }

    /// How many retries there are tokens for at this moment, the floor's included.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.with_lock(time::now(), |budget| budget.balance())
    }

    fn with_lock<T>(&self, now: Timestamp, work: impl FnOnce(&mut Budget) -> T) -> T {
        let Gathered { requests, ends } = &self.0.gathered;
        let mut budget = self.0.locked.lock();
        // They belong to the bucket that has been the newest so far.
        budget.deposit(requests.swap(0, Ordering::AcqRel));
        budget.advance(now);
        ends.store(budget.bulk_ends().as_nanos(), Ordering::Release);
        work(&mut budget)
    }
}

/// 20 % over 10 s, and a floor of 10 that refills at 10 a second.
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
    /// As it was given, in place of the settings' own.
    ratio: Option<f64>,
    settings: BudgetSettings,
}

impl RetryBudgetBuilder {
    /// Lets this share of the requests be retries. Above 0, at most 1; 0.2 if not set.
    pub fn ratio(mut self, ratio: f64) -> RetryBudgetBuilder {
        self.ratio = Some(ratio);
        self
    }

    /// Counts the requests of so long. More than zero; 10 s if not set. In a window too long to be told, they count for
    /// ever.
    pub fn window(mut self, window: Duration) -> RetryBudgetBuilder {
        self.settings.window = window;
        self
    }

    /// Lets so many retries take place whatever the traffic; it begins full. 10 if not set; without a floor if zero.
    pub fn floor(mut self, tokens: u32) -> RetryBudgetBuilder {
        self.settings.floor = tokens;
        self
    }

    /// Refills the floor at so many tokens a second, never to more than it began with. 10 if not set; if zero, it is
    /// used up once and for all.
    pub fn refill_per_second(mut self, tokens: u32) -> RetryBudgetBuilder {
        self.settings.refill_per_second = tokens;
        self
    }

    /// Checks the settings and makes a budget of them.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<RetryBudget, ConfigError> {
        let (budget, mut settings) = (Subject::of("retry budget"), self.settings);
        if let Some(ratio) = self.ratio {
            let wrong = || budget.refuse("ratio", ratio, "must be above 0 and at most 1");
            settings.ratio = Ratio::new(ratio).ok_or_else(wrong)?;
        }
        budget.time("window", settings.window)?;
        Ok(RetryBudget::new(settings))
    }
}
