use std::time::Duration;

use super::bodies::BodySettings;
use super::check;
use super::class::Class;
use super::error::PolicyError;
use super::handle::{Parts, Policy};
use super::part::Part;
use crate::bulkhead::BulkheadBuilder;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::CircuitBreakerBuilder;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::circuit_breaker::settings::OnDrop;
use crate::machine::deadline::DeadlineLimits;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::retry::RetryBuilder;
use crate::retry::policy::RetryPolicy;
use crate::timeout::TimeoutNotifier;

/// The settings of a [`Policy`]. Made by [`Policy::builder`]; nothing is checked before [`build`](Self::build).
///
/// A part that is not set is left out: a policy without any lets every call pass. A part that is set has its documented
/// defaults, and the policy's name.
///
/// # Clone
/// A builder is a template. Each policy built from it has its own parts, except those that were passed in.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PolicyBuilder {
    name: Name,
    circuit_breaker: Option<Part<CircuitBreakerBuilder, CircuitBreaker>>,
    bulkhead: Option<Part<BulkheadBuilder, Bulkhead>>,
    timeout: Option<Duration>,
    total_timeout: Option<Duration>,
    pub(super) deadline: DeadlineLimits,
    retry: Option<Part<RetryBuilder, RetryPolicy>>,
    classes: Vec<(Name, Class)>,
    pub(crate) bodies: BodySettings,
    pub(super) notifier: Notifier,
}

impl PolicyBuilder {
    pub(super) fn new(name: Name) -> PolicyBuilder {
        PolicyBuilder {
            name,
            circuit_breaker: None,
            bulkhead: None,
            timeout: None,
            total_timeout: None,
            deadline: DeadlineLimits::default(),
            retry: None,
            classes: Vec::new(),
            bodies: BodySettings::default(),
            notifier: Notifier::default(),
        }
    }

    /// Adds the policy's own circuit breaker, configured by `set`, which may return its argument unchanged. A second
    /// call continues where the first left off.
    pub fn circuit_breaker(
        mut self,
        set: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
    ) -> PolicyBuilder {
        Part::set(&mut self.circuit_breaker, || CircuitBreaker::builder(self.name.clone()), set);
        self
    }

    /// Shares this circuit breaker, under its own name, with everything else that has it. Not together with
    /// [`circuit_breaker`](Self::circuit_breaker): one of them would have no effect, so [`build`](Self::build) refuses
    /// both.
    pub fn shared_circuit_breaker(mut self, circuit_breaker: CircuitBreaker) -> PolicyBuilder {
        Part::give(&mut self.circuit_breaker, circuit_breaker);
        self
    }

    /// Adds the policy's own bulkhead, configured by `set`. A second call continues where the first left off.
    pub fn bulkhead(mut self, set: impl FnOnce(BulkheadBuilder) -> BulkheadBuilder) -> PolicyBuilder {
        Part::set(&mut self.bulkhead, || Bulkhead::builder(self.name.clone()), set);
        self
    }

    /// Shares this bulkhead's permits, under its own name, with everything else that has it. Not together with
    /// [`bulkhead`](Self::bulkhead): one of them would have no effect, so [`build`](Self::build) refuses both.
    pub fn shared_bulkhead(mut self, bulkhead: Bulkhead) -> PolicyBuilder {
        Part::give(&mut self.bulkhead, bulkhead);
        self
    }

    /// Gives up on an attempt that takes longer than this, counted from when it has its permit. More than zero; no
    /// limit if not set. A duration the clock cannot represent means no limit.
    pub fn timeout(mut self, time: Duration) -> PolicyBuilder {
        self.timeout = Some(time);
        self
    }

    /// Gives up on a call, including all of its attempts and the waits before and between them, that takes longer than
    /// this, counted from the first poll of its future. What it is doing at that moment is dropped, and counts as the
    /// circuit breaker's [`OnDrop`](crate::OnDrop) says. More than zero, and more than the [`timeout`](Self::timeout)
    /// of an attempt; no limit if not set or if the clock cannot represent the duration. Costs an allocation for each
    /// call.
    pub fn total_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.total_timeout = Some(time);
        self
    }

    /// Gives this much time to a call that is made without a [deadline](crate::Deadline), counted from `call`, or from
    /// the first poll of `run`. More than zero, and not more than [`max_deadline`](Self::max_deadline); such a call has
    /// no deadline if not set. Any of the three settings costs a call with a deadline an allocation.
    pub fn default_deadline(mut self, time: Duration) -> PolicyBuilder {
        self.deadline.default = Some(time);
        self
    }

    /// Gives no call more time than this, whatever its deadline. More than zero; no cap if not set. It gives no
    /// deadline to a call that has none.
    pub fn max_deadline(mut self, most: Duration) -> PolicyBuilder {
        self.deadline.max = Some(most);
        self
    }

    /// Rejects a call on arrival whose deadline leaves less than this. More than zero, and not more than the default
    /// and the cap; a call is rejected when nothing is left if not set.
    pub fn least_remaining(mut self, least: Duration) -> PolicyBuilder {
        self.deadline.least = Some(least);
        self
    }

    /// Retries failed calls, as configured by `set`. There are no retries without this: repeating a call that makes or
    /// moves something is dangerous. A second call continues where the first left off.
    pub fn retry(mut self, set: impl FnOnce(RetryBuilder) -> RetryBuilder) -> PolicyBuilder {
        Part::set(&mut self.retry, || RetryPolicy::builder(self.name.clone()), set);
        self
    }

    /// Shares this retry policy and its budget with everything else that has it. Not together with
    /// [`retry`](Self::retry): one of them would have no effect, so [`build`](Self::build) refuses both.
    pub fn shared_retry(mut self, retry: RetryPolicy) -> PolicyBuilder {
        Part::give(&mut self.retry, retry);
        self
    }

    /// Adds a class of calls under this name: see [`Policy::class`]. Names must not be empty, and must differ; a
    /// timeout must be longer than zero, and a class can leave out only parts that the policy has.
    pub fn class(mut self, name: impl Into<Name>, class: Class) -> PolicyBuilder {
        self.classes.push((name.into(), class));
        self
    }

    /// Reports events of the parts it builds to `observer` instead of the [default](crate::observe). A part configured
    /// with its own observer keeps it.
    pub fn observer(mut self, observer: impl Observer + 'static) -> PolicyBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Checks the settings and builds a policy. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, by its path (`circuit_breaker.open_for`), and which rule.
    ///
    /// ```
    /// use seaworthy::Policy;
    ///
    /// let builder = Policy::builder("compute");
    /// let error = builder.circuit_breaker(|breaker| breaker.success_threshold(0)).build().unwrap_err();
    /// assert_eq!(error.path(), "circuit_breaker.success_threshold");
    /// assert_eq!(error.to_string(), "circuit_breaker.success_threshold: must be at least 1");
    /// ```
    pub fn build(self) -> Result<Policy, PolicyError> {
        let PolicyBuilder {
            name,
            circuit_breaker,
            bulkhead,
            timeout,
            total_timeout,
            deadline,
            retry,
            classes,
            bodies,
            notifier,
        } = self;
        let own = |error: ConfigError| PolicyError::new(error.field(), error.rule());
        let policy = Subject::checked("policy", &name).map_err(own)?;
        let owns_circuit = Part::is_own(circuit_breaker.as_ref());
        let circuit_breaker = Part::build(circuit_breaker, "circuit_breaker", |builder| {
            let timed = matches!(bodies.rules.on_drop, Some(OnDrop::FailureAfter(_)));
            builder.or_notifier(&notifier).attempts_take(timeout, timed).build()
        })?;
        let bulkhead = Part::build(bulkhead, "bulkhead", |builder| builder.or_notifier(&notifier).build())?;
        check::bodies(&bodies.rules, circuit_breaker.is_some(), bulkhead.is_some())?;
        let times = [("timeout", timeout), ("total_timeout", total_timeout)];
        let body_times = [("body_idle_timeout", bodies.idle), ("body_timeout", bodies.total)];
        for (field, time) in times.into_iter().chain(body_times) {
            policy.time(field, time).map_err(own)?;
        }
        if let Some((field, _, rule)) = deadline.flaw() {
            return Err(PolicyError::new(format!("deadline.{field}"), rule));
        }
        let retry = Part::build(retry, "retry", |builder| builder.or_notifier(&notifier).build())?;
        let mut timeouts = TimeoutNotifier::default();
        timeouts.set_name(&name);
        timeouts.set_notifier(notifier.or_default());
        let parts = Parts {
            name,
            circuit_breaker,
            bulkhead,
            timeout,
            total_timeout,
            deadline: deadline.if_set(),
            retry,
            classes,
            bodies,
            scope: bodies.rules.scope(),
            notifier: timeouts,
        };
        check::classes(&parts)?;
        check::times(&parts, owns_circuit)?;
        Ok(Policy::new(parts))
    }
}
