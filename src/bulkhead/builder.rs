use std::sync::Arc;
use std::time::Duration;

use super::handle::Bulkhead;
use super::shared::{BulkheadSettings, Shared};
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::bulkhead::permits::MOST;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;

/// The settings of a bulkhead. Made by [`Bulkhead::builder`]; nothing is checked before [`build`](Self::build).
///
/// With no settings, it has 10 permits and rejects at once while all of them are in use.
///
/// # Clone
/// A builder is a template; bulkheads built from its clones share nothing but the observer.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BulkheadBuilder {
    name: Name,
    limit: u32,
    max_wait: Option<Duration>,
    max_queued: Option<u32>,
    retry_after: Option<Duration>,
    notifier: Notifier,
}

impl BulkheadBuilder {
    pub(super) fn new(name: Name) -> BulkheadBuilder {
        BulkheadBuilder {
            name,
            limit: 10,
            max_wait: None,
            max_queued: None,
            retry_after: None,
            notifier: Notifier::default(),
        }
    }

    /// Sets another name, for the next bulkhead built from a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> BulkheadBuilder {
        self.name = name.into();
        self
    }

    /// Lets at most this many calls run at once. From 1 to 1,000,000; 10 if not set. It can be changed later: see
    /// [`Bulkhead::set_limit`].
    pub fn limit(mut self, bulkhead: u32) -> BulkheadBuilder {
        self.limit = bulkhead;
        self
    }

    /// Lets a call that finds no free permit wait this long for one, first come, first served. If not set, or zero, no
    /// call waits. A duration the clock cannot represent means no limit.
    pub fn max_wait(mut self, time: Duration) -> BulkheadBuilder {
        self.max_wait = Some(time);
        self
    }

    /// Lets at most this many calls wait at once, and rejects further ones immediately. At most 1,000,000, which is
    /// also the default; if zero, no call waits. Needs [`max_wait`](Self::max_wait).
    pub fn max_queued(mut self, calls: u32) -> BulkheadBuilder {
        self.max_queued = Some(calls);
        self
    }

    /// Tells rejected callers to come back after this time, which becomes `Retry-After` over HTTP: roughly how long it
    /// takes for a permit to become free. More than zero. If not set, the rejection has no time, and HTTP answers 1 s.
    pub fn retry_after(mut self, time: Duration) -> BulkheadBuilder {
        self.retry_after = Some(time);
        self
    }

    /// Reports events to `observer` instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> BulkheadBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Reports events to `notifier`, unless an observer was set.
    pub(crate) fn or_notifier(mut self, notifier: &Notifier) -> BulkheadBuilder {
        if !self.notifier.is_set() {
            self.notifier = notifier.clone();
        }
        self
    }

    /// Checks the settings and builds an empty bulkhead. Once it is built, none of these settings can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and which rule.
    pub fn build(self) -> Result<Bulkhead, ConfigError> {
        let (name, template) = self.checked()?;
        Ok(template.make(name))
    }

    pub(crate) fn checked(self) -> Result<(Name, BulkheadTemplate), ConfigError> {
        let bulkhead = Subject::checked("bulkhead", &self.name)?;
        check_limit(bulkhead, self.limit)?;
        let max_queued = match (self.max_queued, self.max_wait) {
            (Some(most), None) => return Err(bulkhead.refuse("max_queued", most, "means nothing without `max_wait`")),
            (most, _) => most.unwrap_or(MOST),
        };
        bulkhead.at_most("max_queued", max_queued, Most::MILLION)?;
        bulkhead.time("retry_after", self.retry_after)?;
        let max_wait = self.max_wait.unwrap_or_default();
        let max_queued = if max_wait.is_zero() { 0 } else { max_queued };
        let notifier = self.notifier.or_default();
        let retry_after = self.retry_after.into();
        let settings = BulkheadSettings { max_wait, max_queued, retry_after, notifier, family: None };
        Ok((self.name, BulkheadTemplate { limit: self.limit, settings }))
    }
}

/// Checked settings, from which any number of bulkheads can be built.
#[derive(Clone, Debug)]
pub struct BulkheadTemplate {
    limit: u32,
    settings: BulkheadSettings,
}

impl BulkheadTemplate {
    pub(crate) fn make(&self, name: Name) -> Bulkhead {
        Bulkhead::new(Shared::new(name, self.limit, self.settings.clone()))
    }

    /// The same settings, for the bulkheads of a keyed family.
    pub(crate) fn of_family(mut self, name: &Name) -> BulkheadTemplate {
        self.settings.family = Some(Arc::new(name.clone()));
        self
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) fn notifier(&self) -> &Notifier {
        &self.settings.notifier
    }
}

pub(super) fn check_limit(bulkhead: Subject<'_>, limit: u32) -> Result<(), ConfigError> {
    bulkhead.count("limit", limit, Most::MILLION)
}
