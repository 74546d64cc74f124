use std::time::Duration;

use super::budget::{RetryBudget, RetryBudgetBuilder};
use super::grpc_rules::GrpcRules;
use super::policy::{Beginning, RetryConfig, RetryPolicy};
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::retry::attempts::RetrySettings;
use crate::machine::retry::backoff::Backoff;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::observe::source::ObserverCache;
use crate::rt::random::Random;

/// The settings of a [`RetryPolicy`]. Made by [`RetryPolicy::builder`]; nothing is checked before
/// [`build`](Self::build).
///
/// # Clone
/// A builder is a template. Each policy built from it has its own budget, unless the template was given one, which they
/// then share.
///
/// ```
/// use seaworthy::{Backoff, RetryPolicy};
/// use std::time::Duration;
///
/// let policy = RetryPolicy::builder("orders")
///     .attempts(5)
///     .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(2)))
///     .deadline(Duration::from_secs(10))
///     .build()?;
/// # let _ = policy;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RetryBuilder {
    name: Name,
    settings: RetrySettings,
    budget: Spending,
    random: Random,
    notifier: Notifier,
    pub(crate) grpc: GrpcRules,
}

#[derive(Clone, Debug)]
enum Spending {
    Own,
    /// Its own, with other settings.
    OwnOf(RetryBudgetBuilder),
    Shared(RetryBudget),
    Free,
}

impl RetryBuilder {
    pub(super) fn new(name: Name) -> RetryBuilder {
        RetryBuilder {
            name,
            settings: RetrySettings::default(),
            budget: Spending::Own,
            random: Random::default(),
            notifier: Notifier::default(),
            grpc: GrpcRules::default(),
        }
    }

    /// Sets another name, for the next policy built from a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> RetryBuilder {
        self.name = name.into();
        self
    }

    /// Makes at most this many attempts, including the first. At least 1, which means no retries; 3 if not set.
    pub fn attempts(mut self, count: u32) -> RetryBuilder {
        self.settings.attempts = count;
        self
    }

    /// Waits this long between attempts. If not set, exponential from 500 ms, doubling up to 30 s, with full jitter. A
    /// base of zero means no wait.
    pub fn backoff(mut self, backoff: Backoff) -> RetryBuilder {
        self.settings.backoff = backoff;
        self
    }

    /// Gives up if the next wait would end this long after the start of the first attempt, or later: the last result is
    /// returned at once. More than zero; off unless set.
    ///
    /// It cuts short neither a running attempt nor the time the inner service takes to become ready: put a timeout
    /// around the retry for that. Costs one clock read per request if there is no budget; a budget reads the clock
    /// anyway.
    pub fn deadline(mut self, time: Duration) -> RetryBuilder {
        self.settings.deadline = Some(time);
        self
    }

    /// Waits as long as the backend asks ([`Decision::RetryAfter`](super::Decision::RetryAfter), which over HTTP is the
    /// `Retry-After` header), plus the backoff's delay, unless it asks for more than this: then the last result is
    /// returned at once. 30 s if not set.
    pub fn max_retry_after(mut self, time: Duration) -> RetryBuilder {
        self.settings.max_retry_after = time;
        self
    }

    /// Pays for retries from this budget, instead of the policy's own with default settings.
    pub fn budget(mut self, budget: RetryBudget) -> RetryBuilder {
        self.budget = Spending::Shared(budget);
        self
    }

    /// Pays for retries from the policy's own budget, with these settings, which [`build`](Self::build) checks.
    pub fn own_budget(mut self, budget: RetryBudgetBuilder) -> RetryBuilder {
        self.budget = Spending::OwnOf(budget);
        self
    }

    /// Makes retries free. A failing backend then gets its traffic multiplied by the number of attempts.
    pub fn no_budget(mut self) -> RetryBuilder {
        self.budget = Spending::Free;
        self
    }

    /// Draws jitter from a generator with this seed, to make a test repeatable. Policies built from one template share
    /// the generator.
    pub fn random_seed(mut self, seed: u64) -> RetryBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Reports events to `observer` instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> RetryBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Reports events to `notifier`, unless an observer was set.
    pub(crate) fn or_notifier(mut self, notifier: &Notifier) -> RetryBuilder {
        if !self.notifier.is_set() {
            self.notifier = notifier.clone();
        }
        self
    }

    /// Checks the settings and builds a policy. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and which rule.
    pub fn build(self) -> Result<RetryPolicy, ConfigError> {
        let RetryBuilder { name, settings, budget, random, notifier, grpc } = self;
        check(Subject::checked("retry", &name)?, &settings)?;
        let notifier = notifier.or_default();
        let budget = match budget {
            Spending::Own => Some(RetryBudget::default()),
            Spending::OwnOf(budget) => Some(budget.build()?),
            Spending::Shared(budget) => Some(budget),
            Spending::Free => None,
        };
        let beginning = match settings.deadline {
            _ if notifier.hears_calls() => Beginning::Notify,
            Some(_) => Beginning::ReadClock,
            None => Beginning::Nothing,
        };
        let quiet_budget = budget.clone().filter(|_| !notifier.hears_calls());
        Ok(RetryPolicy::new(RetryConfig {
            name,
            settings,
            budget,
            random,
            notifier,
            cache: ObserverCache::default(),
            quiet_budget,
            beginning,
            grpc,
        }))
    }
}

fn check(retry: Subject<'_>, settings: &RetrySettings) -> Result<(), ConfigError> {
    retry.count("attempts", settings.attempts, Most::NONE)?;
    retry.time("deadline", settings.deadline)?;
    retry.backoff("backoff", &settings.backoff)
}
