use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Settings};
use super::handle::Slots;
use crate::audience::Audience;
use crate::error::check::{Most, Subject};
use crate::keyed::KeyedBuilder;
use crate::machine::tally::MOST;
use crate::{ConfigError, Name, Observer};

/// The settings of a bulkhead. Made by [`Slots::builder`]; nothing is checked before [`build`](Self::build).
///
/// Without any, it has 10 slots and rejects at once while all of them are in use.
///
/// # Clone
/// A builder is a template; what is built from its clones shares nothing but the observer.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct SlotsBuilder {
    name: Name,
    limit: u32,
    max_wait: Option<Duration>,
    max_waiting: Option<u32>,
    retry_after: Option<Duration>,
    audience: Audience,
}

impl SlotsBuilder {
    pub(super) fn new(name: Name) -> SlotsBuilder {
        SlotsBuilder {
            name,
            limit: 10,
            max_wait: None,
            max_waiting: None,
            retry_after: None,
            audience: Audience::default(),
        }
    }

    /// Another name, for the next bulkhead of a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> SlotsBuilder {
        self.name = name.into();
        self
    }

    /// Lets so many calls run at a time. From 1 to 1,000,000; 10 if not set. It can be changed later: see
    /// [`Slots::set_limit`].
    pub fn limit(mut self, slots: u32) -> SlotsBuilder {
        self.limit = slots;
        self
    }

    /// Lets a call that finds no free slot wait for one for so long, first come first served. Nobody waits if it is not
    /// set, nor if it is zero. A time too long to be told is without end.
    pub fn max_wait(mut self, time: Duration) -> SlotsBuilder {
        self.max_wait = Some(time);
        self
    }

    /// Lets so many calls wait at a time, and rejects any more at once. At most 1,000,000, which is also what holds if
    /// it is not set; at zero nobody waits. Needs [`max_wait`](Self::max_wait).
    pub fn max_waiting(mut self, calls: u32) -> SlotsBuilder {
        self.max_waiting = Some(calls);
        self
    }

    /// Tells whoever is rejected to come again after this time, which becomes `Retry-After` over HTTP: about as long as it
    /// takes until a slot is free. More than zero. If it is not set the rejection knows no time, and over HTTP it is 1 s.
    pub fn retry_after(mut self, time: Duration) -> SlotsBuilder {
        self.retry_after = Some(time);
        self
    }

    /// Tells `observer` what happens, in place of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> SlotsBuilder {
        self.audience = Audience::new(Arc::new(observer));
        self
    }

    /// Tells `audience` what happens, unless an observer was given.
    pub(crate) fn or_audience(mut self, audience: &Audience) -> SlotsBuilder {
        if !self.audience.is_set() {
            self.audience = audience.clone();
        }
        self
    }

    /// Checks the settings and makes an empty bulkhead of them. Nothing about these settings fails later.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<Slots, ConfigError> {
        let (name, template) = self.checked()?;
        Ok(template.make(name))
    }

    /// A bulkhead of these settings for each key, made when the key is first asked for: see
    /// [`keyed`](crate::keyed). The name is the family's.
    pub fn keyed<K>(self) -> KeyedBuilder<K, Slots> {
        KeyedBuilder::new(self)
    }

    pub(crate) fn checked(self) -> Result<(Name, SlotsTemplate), ConfigError> {
        let bulkhead = Subject::checked("bulkhead", &self.name)?;
        check_limit(bulkhead, self.limit)?;
        let max_waiting = match (self.max_waiting, self.max_wait) {
            (Some(most), None) => return Err(bulkhead.refuse("max_waiting", most, "means nothing without `max_wait`")),
            (most, _) => most.unwrap_or(MOST),
        };
        bulkhead.require(max_waiting <= MOST, "max_waiting", max_waiting, "must not be greater than 1,000,000")?;
        bulkhead.time("retry_after", self.retry_after)?;
        let max_wait = self.max_wait.unwrap_or_default();
        let max_waiting = if max_wait.is_zero() { 0 } else { max_waiting };
        let audience = self.audience.or_default();
        let settings = Settings { max_wait, max_waiting, retry_after: self.retry_after, audience, family: None };
        Ok((self.name, SlotsTemplate { limit: self.limit, settings }))
    }
}

/// Settings that were checked, to make any number of bulkheads of.
#[derive(Clone, Debug)]
pub struct SlotsTemplate {
    limit: u32,
    settings: Settings,
}

impl SlotsTemplate {
    pub(crate) fn make(&self, name: Name) -> Slots {
        Slots::new(Core::new(name, self.limit, self.settings.clone()))
    }

    /// The same for bulkheads of a keyed family.
    pub(crate) fn of_family(mut self, name: &Name) -> SlotsTemplate {
        self.settings.family = Some(Arc::new(name.clone()));
        self
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) fn audience(&self) -> &Audience {
        &self.settings.audience
    }
}

pub(super) fn check_limit(bulkhead: Subject<'_>, limit: u32) -> Result<(), ConfigError> {
    bulkhead.count("limit", limit, Most::MILLION)
}
