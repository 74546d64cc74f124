use std::sync::Arc;
use std::time::Duration;

use super::class::Class;
use super::error::PolicyError;
use super::handle::{Parts, Policy};
use crate::audience::Audience;
use crate::bulkhead::SlotsBuilder;
use crate::circuit::CircuitBuilder;
use crate::retry::RetryPolicyBuilder;
use crate::timeout::Announcer;
use crate::{Circuit, ConfigError, Name, Observer, RetryPolicy, Slots};

/// The settings of a [`Policy`]. Made by [`Policy::builder`]; nothing is checked before [`build`](Self::build).
///
/// A part that is not named is not there: a policy without any lets everything pass. A part that is named has its
/// documented defaults, and the policy's name.
///
/// # Clone
/// A builder is a template. Each policy built from it has parts of its own, apart from those that were given to it.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PolicyBuilder {
    name: Name,
    circuit: Option<Part<CircuitBuilder, Circuit>>,
    bulkhead: Option<Part<SlotsBuilder, Slots>>,
    timeout: Option<Duration>,
    retry: Option<Part<RetryPolicyBuilder, RetryPolicy>>,
    classes: Vec<(Name, Class)>,
    audience: Audience,
}

/// One that is to be built, or one that is there.
#[derive(Clone, Debug)]
enum Part<B, H> {
    Own(B),
    Given(H),
}

impl<B, H> Part<B, H> {
    /// The builder so far, or a new one.
    fn builder(part: Option<Part<B, H>>, new: impl FnOnce() -> B) -> B {
        match part {
            Some(Part::Own(builder)) => builder,
            Some(Part::Given(_)) | None => new(),
        }
    }

    fn build(
        part: Option<Part<B, H>>,
        name: &str,
        build: impl FnOnce(B) -> Result<H, ConfigError>,
    ) -> Result<Option<H>, PolicyError> {
        match part {
            Some(Part::Own(builder)) => build(builder).map(Some).map_err(|error| PolicyError::in_part(name, &error)),
            Some(Part::Given(handle)) => Ok(Some(handle)),
            None => Ok(None),
        }
    }
}

impl PolicyBuilder {
    pub(super) fn new(name: Name) -> PolicyBuilder {
        PolicyBuilder {
            name,
            circuit: None,
            bulkhead: None,
            timeout: None,
            retry: None,
            classes: Vec::new(),
            audience: Audience::default(),
        }
    }

    /// Has a circuit of its own, set up by `set`, which may give back what it is given. Used again, it goes on from
    /// there.
    pub fn circuit(mut self, set: impl FnOnce(CircuitBuilder) -> CircuitBuilder) -> PolicyBuilder {
        let builder = Part::builder(self.circuit.take(), || Circuit::builder(self.name.clone()));
        self.circuit = Some(Part::Own(set(builder)));
        self
    }

    /// Shares this circuit with whoever else was given it, under its own name; replaces [`circuit`](Self::circuit).
    pub fn shared_circuit(mut self, circuit: Circuit) -> PolicyBuilder {
        self.circuit = Some(Part::Given(circuit));
        self
    }

    /// Has a bulkhead of its own, set up by `set`. Used again, it goes on from there.
    pub fn bulkhead(mut self, set: impl FnOnce(SlotsBuilder) -> SlotsBuilder) -> PolicyBuilder {
        let builder = Part::builder(self.bulkhead.take(), || Slots::builder(self.name.clone()));
        self.bulkhead = Some(Part::Own(set(builder)));
        self
    }

    /// Shares these slots with whoever else was given them, under their own name; replaces
    /// [`bulkhead`](Self::bulkhead).
    pub fn shared_bulkhead(mut self, slots: Slots) -> PolicyBuilder {
        self.bulkhead = Some(Part::Given(slots));
        self
    }

    /// Gives up an attempt that has not ended after so long, counted from when it has its slot. More than zero; no limit
    /// if not set. A time too long to be told means no limit.
    pub fn timeout(mut self, time: Duration) -> PolicyBuilder {
        self.timeout = Some(time);
        self
    }

    /// Tries again what failed, as set up by `set`. There are no retries unless asked for: repeating a call that makes
    /// or moves something is dangerous. Used again, it goes on from there.
    pub fn retry(mut self, set: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder) -> PolicyBuilder {
        let builder = Part::builder(self.retry.take(), || RetryPolicy::builder(self.name.clone()));
        self.retry = Some(Part::Own(set(builder)));
        self
    }

    /// Shares this retry policy, and its budget, with whoever else was given it; replaces [`retry`](Self::retry).
    pub fn shared_retry(mut self, retry: RetryPolicy) -> PolicyBuilder {
        self.retry = Some(Part::Given(retry));
        self
    }

    /// Knows calls of another class by this name: see [`Policy::class`]. Names must not be empty, and must differ; a
    /// timeout must be longer than zero.
    pub fn class(mut self, name: impl Into<Name>, class: Class) -> PolicyBuilder {
        self.classes.push((name.into(), class));
        self
    }

    /// Tells `observer` what happens in the parts that it builds, in place of the
    /// [default](crate::observe). A part that was set up with an observer of its own keeps it.
    pub fn observer(mut self, observer: impl Observer + 'static) -> PolicyBuilder {
        self.audience = Audience::new(Arc::new(observer));
        self
    }

    /// Tells `audience` what happens, unless an observer was given.
    #[cfg(feature = "serde")]
    pub(super) fn or_audience(mut self, audience: &Audience) -> PolicyBuilder {
        if !self.audience.is_set() {
            self.audience = audience.clone();
        }
        self
    }

    /// Checks the settings and makes a policy of them. Nothing about settings fails later.
    ///
    /// # Errors
    /// The first setting that breaks a rule, by its path (`circuit.open_for`), and the rule.
    ///
    /// ```
    /// use seaworthy::Policy;
    ///
    /// let error = Policy::builder("compute").circuit(|circuit| circuit.successes(0)).build().unwrap_err();
    /// assert_eq!(error.path(), "circuit.successes");
    /// assert_eq!(error.to_string(), "circuit.successes: must be at least 1");
    /// ```
    pub fn build(self) -> Result<Policy, PolicyError> {
        let PolicyBuilder { name, circuit, bulkhead, timeout, retry, classes, audience } = self;
        if name.is_empty() {
            return Err(PolicyError::new("name", "must not be empty"));
        }
        let circuit = Part::build(circuit, "circuit", |builder| builder.or_audience(&audience).build())?;
        let slots = Part::build(bulkhead, "bulkhead", |builder| builder.or_audience(&audience).build())?;
        if timeout.is_some_and(|time| time.is_zero()) {
            return Err(PolicyError::new("timeout", "must be longer than zero"));
        }
        let retry = Part::build(retry, "retry", |builder| builder.or_audience(&audience).build())?;
        check_classes(&classes)?;
        let mut announcer = Announcer::default();
        announcer.set_name(&name);
        announcer.set_audience(audience.or_default());
        Ok(Policy::new(Parts { name, circuit, slots, timeout, retry, classes, announcer }))
    }
}

fn check_classes(classes: &[(Name, Class)]) -> Result<(), PolicyError> {
    for (number, (name, class)) in classes.iter().enumerate() {
        if name.is_empty() {
            return Err(PolicyError::new("classes", "a name must not be empty"));
        }
        if classes[..number].iter().any(|(other, _)| other == name) {
            return Err(PolicyError::new(format!("classes.{name}"), "there are two of this name"));
        }
        if class.is_over_at_once() {
            return Err(PolicyError::new(format!("classes.{name}.timeout"), "must be longer than zero"));
        }
    }
    Ok(())
}
