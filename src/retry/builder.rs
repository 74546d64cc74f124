use std::sync::Arc;
use std::time::Duration;

use super::budget::RetryBudget;
#[cfg(any(feature = "http", feature = "serde"))]
use super::budget::RetryBudgetBuilder;
use super::policy::{Beginning, RetryConfig, RetryPolicy};
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::retry::attempts::RetrySettings;
use crate::machine::retry::backoff::Backoff;
use crate::name::Name;
use crate::observe::ObserverCache;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::rt::random::Random;

/// The settings of a [`RetryPolicy`]. Made by [`RetryPolicy::builder`]; nothing is checked before
/// [`build`](Self::build).
///
/// # Clone
/// A builder is a template. Each policy built from it has a budget of its own, unless the template was given one, which
/// they share.
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
}

#[derive(Clone, Debug)]
enum Spending {
    Own,
    /// One of its own, with other settings.
    #[cfg(any(feature = "http", feature = "serde"))]
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
        }
    }

    /// Another name, for the next policy of a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> RetryBuilder {
        self.name = name.into();
        self
    }

    /// Makes so many attempts at most, the first included. At least 1, which means no retry; 3 if not set.
    pub fn attempts(mut self, count: u32) -> RetryBuilder {
        self.settings.attempts = count;
        self
    }

    /// Waits between attempts. Exponential from 500 ms, doubling up to 30 s, with full jitter, if not set. A base of
    /// zero means no wait.
    pub fn backoff(mut self, backoff: Backoff) -> RetryBuilder {
        self.settings.backoff = backoff;
        self
    }

    /// Gives up when the next wait would end so long after the first attempt began, or later: the last result is
    /// returned at once. More than zero; off unless set.
    ///
    /// It does not cut an attempt that is under way, nor the time that the inner service takes to become ready: a
    /// timeout around the retry does that. Costs a clock read a request, if there is no budget, which reads it anyway.
    pub fn deadline(mut self, time: Duration) -> RetryBuilder {
        self.settings.deadline = Some(time);
        self
    }

    /// Waits for as long as the backend asks for ([`Decision::RetryAfter`](super::Decision::RetryAfter), which over HTTP
    /// is the `Retry-After` header), and the backoff's delay on top, unless it asks for more than this: then the last
    /// result is returned at once. 30 s if not set.
    pub fn max_retry_after(mut self, time: Duration) -> RetryBuilder {
        self.settings.max_retry_after = time;
        self
    }

    /// Pays for retries from this budget, in place of one with the default settings that is this policy's own.
    pub fn budget(mut self, budget: RetryBudget) -> RetryBuilder {
        self.budget = Spending::Shared(budget);
        self
    }

    /// Pays for retries from a budget with these settings that is this policy's own.
    #[cfg(any(feature = "http", feature = "serde"))]
    pub(crate) fn own_budget(mut self, budget: RetryBudgetBuilder) -> RetryBuilder {
        self.budget = Spending::OwnOf(budget);
        self
    }

    /// Makes retries free. When the backend fails, it gets as many times the traffic as there are attempts.
    pub fn no_budget(mut self) -> RetryBuilder {
        self.budget = Spending::Free;
        self
    }

    /// Draws jitter from a generator with this seed, so that a test can repeat it. Policies of one template share the
    /// generator.
    pub fn random_seed(mut self, seed: u64) -> RetryBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Tells `observer` what happens, in place of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> RetryBuilder {
        self.notifier = Notifier::new(Arc::new(observer));
        self
    }

    /// Tells `notifier` what happens, unless an observer was given.
    pub(crate) fn or_notifier(mut self, notifier: &Notifier) -> RetryBuilder {
        if !self.notifier.is_set() {
            self.notifier = notifier.clone();
        }
        self
    }

    /// Checks the settings and makes a policy of them. Nothing about settings fails later.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<RetryPolicy, ConfigError> {
        let RetryBuilder { name, settings, budget, random, notifier } = self;
        check(Subject::checked("retry", &name)?, &settings)?;
        let notifier = notifier.or_default();
        let budget = match budget {
            Spending::Own => Some(RetryBudget::default()),
            #[cfg(any(feature = "http", feature = "serde"))]
            Spending::OwnOf(budget) => Some(budget.build()?),
            Spending::Shared(budget) => Some(budget),
            Spending::Free => None,
        };
        let beginning = match settings.deadline {
            _ if notifier.wants_calls() => Beginning::Tell,
            Some(_) => Beginning::ReadClock,
            None => Beginning::Nothing,
        };
        let quiet_budget = budget.clone().filter(|_| !notifier.wants_calls());
        Ok(RetryPolicy::new(RetryConfig {
            name,
            settings,
            budget,
            random,
            notifier,
            cache: ObserverCache::default(),
            quiet_budget,
            beginning,
        }))
    }
}

fn check(retry: Subject<'_>, settings: &RetrySettings) -> Result<(), ConfigError> {
    retry.count("attempts", settings.attempts, Most::NONE)?;
    retry.time("deadline", settings.deadline)?;
    retry.backoff("backoff", &settings.backoff)
}
