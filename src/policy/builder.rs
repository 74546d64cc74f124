use std::sync::Arc;
use std::time::Duration;

use super::bodies::BodyLimits;
use super::check;
use super::class::Class;
use super::error::PolicyError;
use super::handle::{Parts, Policy};
use super::part::Part;
use crate::audience::Audience;
use crate::bulkhead::SlotsBuilder;
use crate::circuit::CircuitBuilder;
use crate::retry::RetryPolicyBuilder;
use crate::timeout::Announcer;
use crate::{Circuit, Name, Observer, RetryPolicy, Slots};

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
    total_timeout: Option<Duration>,
    retry: Option<Part<RetryPolicyBuilder, RetryPolicy>>,
    classes: Vec<(Name, Class)>,
    pub(crate) bodies: BodyLimits,
    audience: Audience,
}

impl PolicyBuilder {
    pub(super) fn new(name: Name) -> PolicyBuilder {
        PolicyBuilder {
            name,
            circuit: None,
            bulkhead: None,
            timeout: None,
            total_timeout: None,
            retry: None,
            classes: Vec::new(),
            bodies: BodyLimits::default(),
            audience: Audience::default(),
        }
    }

    /// Has a circuit of its own, set up by `set`, which may give back what it is given. Used again, it goes on from
    /// there.
    pub fn circuit(mut self, set: impl FnOnce(CircuitBuilder) -> CircuitBuilder) -> PolicyBuilder {
        Part::set(&mut self.circuit, || Circuit::builder(self.name.clone()), set);
        self
    }

    /// Shares this circuit with whoever else was given it, under its own name. Not together with
    /// [`circuit`](Self::circuit), which would not be obeyed.
    pub fn shared_circuit(mut self, circuit: Circuit) -> PolicyBuilder {
        Part::give(&mut self.circuit, circuit);
        self
    }

    /// Has a bulkhead of its own, set up by `set`. Used again, it goes on from there.
    pub fn bulkhead(mut self, set: impl FnOnce(SlotsBuilder) -> SlotsBuilder) -> PolicyBuilder {
        Part::set(&mut self.bulkhead, || Slots::builder(self.name.clone()), set);
        self
    }

    /// Shares these slots with whoever else was given them, under their own name. Not together with
    /// [`bulkhead`](Self::bulkhead), which would not be obeyed.
    pub fn shared_bulkhead(mut self, slots: Slots) -> PolicyBuilder {
        Part::give(&mut self.bulkhead, slots);
        self
    }

    /// Gives up an attempt that has not ended after so long, counted from when it has its slot. More than zero; no limit
    /// if not set. A time too long to be told means no limit.
    pub fn timeout(mut self, time: Duration) -> PolicyBuilder {
        self.timeout = Some(time);
        self
    }

    /// Gives up a call, with all of its attempts and the waits between and before them, that has not ended after so long,
    /// counted from when its future was first polled. What it is about is dropped, and counts as the circuit's
    /// [`OnDrop`](crate::OnDrop) says. More than zero, and more than the [`timeout`](Self::timeout) of an attempt; no limit
    /// if not set, or if it is too long to be told. Costs an allocation for each call.
    pub fn total_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.total_timeout = Some(time);
        self
    }

    /// Tries again what failed, as set up by `set`. There are no retries unless asked for: repeating a call that makes
    /// or moves something is dangerous. Used again, it goes on from there.
    pub fn retry(mut self, set: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder) -> PolicyBuilder {
        Part::set(&mut self.retry, || RetryPolicy::builder(self.name.clone()), set);
        self
    }

    /// Shares this retry policy, and its budget, with whoever else was given it. Not together with
    /// [`retry`](Self::retry), which would not be obeyed.
    pub fn shared_retry(mut self, retry: RetryPolicy) -> PolicyBuilder {
        Part::give(&mut self.retry, retry);
        self
    }

    /// Knows calls of another class by this name: see [`Policy::class`]. Names must not be empty, and must differ; a
    /// timeout must be longer than zero, and what a class leaves out must be there.
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
        let PolicyBuilder { name, circuit, bulkhead, timeout, total_timeout, retry, classes, bodies, audience } = self;
        if name.is_empty() {
            return Err(PolicyError::new("name", "must not be empty"));
        }
        let owns_circuit = Part::is_own(circuit.as_ref());
        let circuit = Part::build(circuit, "circuit", |builder| builder.or_audience(&audience).build())?;
        let slots = Part::build(bulkhead, "bulkhead", |builder| builder.or_audience(&audience).build())?;
        let times = [("timeout", timeout), ("total_timeout", total_timeout)];
        let body_times = [("body_idle_timeout", bodies.idle), ("body_timeout", bodies.total)];
        for (field, time) in times.into_iter().chain(body_times) {
            if time.is_some_and(|time| time.is_zero()) {
                return Err(PolicyError::new(field, "must be longer than zero"));
            }
        }
        let retry = Part::build(retry, "retry", |builder| builder.or_audience(&audience).build())?;
        let mut announcer = Announcer::default();
        announcer.set_name(&name);
        announcer.set_audience(audience.or_default());
        let parts = Parts { name, circuit, slots, timeout, total_timeout, retry, classes, bodies, announcer };
        check::classes(&parts)?;
        check::times(&parts, owns_circuit)?;
        Ok(Policy::new(parts))
    }
}
