use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::config::CircuitBreakerConfig;
use super::handle::CircuitBreaker;
use super::shared::Shared;
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::circuit_breaker::settings::{CircuitSettings, OnDeadline, OnDrop};
use crate::machine::retry::backoff::Backoff;
use crate::machine::window::Span;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::rt::random::Random;

static DEFAULT: LazyLock<Arc<CircuitBreakerConfig>> = LazyLock::new(Arc::default);

/// The settings of a [`CircuitBreaker`]. Made by [`CircuitBreaker::builder`]; nothing is checked before
/// [`build`](Self::build).
///
/// A circuit breaker opens when any of its rules is broken: a number of consecutive failures, a failure rate, a slow
/// rate. If no rule is set, it opens after 5 failures in a row; setting any rule turns this default off. Both rates are
/// measured over the same window and are ignored until it holds `minimum_calls` verdicts.
///
/// # Clone
/// A builder is a template: circuit breakers built from clones of it share one copy of the settings.
///
/// ```
/// use seaworthy::CircuitBreaker;
/// use std::time::Duration;
///
/// let template = CircuitBreaker::builder("shards")
///     .failure_rate(0.5)
///     .time_window(Duration::from_secs(10))
///     .open_for(Duration::from_secs(5));
/// let shards = (0..8)
///     .map(|shard| template.clone().name(format!("shard-{shard}")).build())
///     .collect::<Result<Vec<_>, _>>()?;
/// # assert_eq!(shards.len(), 8);
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct CircuitBreakerBuilder {
    name: Name,
    config: Arc<CircuitBreakerConfig>,
}

impl CircuitBreakerBuilder {
    pub(super) fn new(name: Name) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder { name, config: DEFAULT.clone() }.or_default_observer()
    }

    /// Called when the builder is created, so that all circuit breakers of a template share the default observer, and
    /// again when it builds, because the default may have been set since.
    fn or_default_observer(mut self) -> CircuitBreakerBuilder {
        if let Some(default) = self.config.notifier.missing() {
            Arc::make_mut(&mut self.config).notifier = default.clone();
        }
        self
    }

    fn set(mut self, change: impl FnOnce(&mut CircuitSettings)) -> CircuitBreakerBuilder {
        change(&mut Arc::make_mut(&mut self.config).settings);
        self
    }

    /// Sets another name, for the next circuit breaker built from a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> CircuitBreakerBuilder {
        self.name = name.into();
        self
    }

    /// Opens on the `count`-th failure in a row. From 1 to 1,000,000; 5 if no rule is set.
    pub fn consecutive_failures(self, count: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.consecutive_failures = Some(count))
    }

    /// Opens when the share of failures in the window reaches this. Above 0, at most 1; off unless set.
    pub fn failure_rate(self, threshold: f64) -> CircuitBreakerBuilder {
        self.set(|settings| settings.failure_rate = Some(threshold))
    }

    /// Opens when the share of calls in the window that took longer than [`slow_call`](Self::slow_call) reaches this.
    /// Above 0, at most 1; off unless set.
    pub fn slow_rate(self, threshold: f64) -> CircuitBreakerBuilder {
        self.set(|settings| settings.slow_rate = Some(threshold))
    }

    /// Counts calls that take longer than this as slow, whether they fail or not. A slow probe is a failed trial. More
    /// than zero; if not set, no call is slow. Costs one clock read when a call starts and one when it ends.
    pub fn slow_call(self, limit: Duration) -> CircuitBreakerBuilder {
        self.set(|settings| settings.slow_call = Some(limit))
    }

    /// Measures rates over the last `calls` verdicts. From 1 to 1,000,000; 100 if a rate is set and no window.
    pub fn count_window(self, calls: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.count_window = Some(calls))
    }

    /// Measures rates over the verdicts of the last `span`: no verdict leaves earlier, and none stays more than a tenth
    /// of the span longer. More than zero.
    pub fn time_window(self, span: Duration) -> CircuitBreakerBuilder {
        self.set(|settings| settings.time_window = Some(span))
    }

    /// Ignores the rates until the window holds this many verdicts. From 1 to 1,000,000, and no more than the count
    /// window. If not set, the whole count window, or 20 for a time window.
    pub fn minimum_calls(self, count: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.minimum_calls = Some(count))
    }

    /// Stays open for this long, then lets a probe through. More than zero; 30 s if not set. With a duration the clock
    /// cannot represent, the circuit stays open indefinitely. Replaces [`open_backoff`](Self::open_backoff).
    pub fn open_for(self, time: Duration) -> CircuitBreakerBuilder {
        self.set(|settings| settings.open = Backoff::constant(time))
    }

    /// Stays open longer after each failed half-open state in a row, and starts over once the circuit closes. Replaces
    /// [`open_for`](Self::open_for).
    pub fn open_backoff(self, backoff: Backoff) -> CircuitBreakerBuilder {
        self.set(|settings| settings.open = backoff)
    }

    /// While half-open, lets at most this many probes run at once. From 1 to 1,000, and no more than `max_trials`; 1 if
    /// not set.
    pub fn max_concurrent_probes(self, count: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.max_concurrent_probes = count)
    }

    /// Closes after this many probes have succeeded. From 1 to 1,000,000, and no more than `max_trials`; 1 if not set.
    pub fn success_threshold(self, count: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.success_threshold = count)
    }

    /// Sends at most this many probes in one half-open state; the circuit opens again as soon as too few of them can
    /// still succeed. From 1 to 1,000,000; the success threshold if not set.
    pub fn max_trials(self, count: u32) -> CircuitBreakerBuilder {
        self.set(|settings| settings.max_trials = Some(count))
    }

    /// Gives up on a probe that takes longer than this and counts it as a failed trial. More than zero; if not set, the
    /// open time then in force, without its jitter.
    pub fn probe_timeout(self, time: Duration) -> CircuitBreakerBuilder {
        self.set(|settings| settings.probe_timeout = Some(time))
    }

    /// What a call counts as if it is dropped before it ends; nothing if not set.
    pub fn on_drop(self, on_drop: OnDrop) -> CircuitBreakerBuilder {
        self.set(|settings| settings.on_drop = Some(on_drop))
    }

    /// What a call counts as that was ended by its [deadline](crate::Deadline) after it had reached the inner service,
    /// or dropped after its deadline had passed. What [`on_drop`](Self::on_drop) is set to if not set; in a
    /// [`Policy`](crate::Policy) with a timeout and neither of them, a failure if it had run for more than half of the
    /// timeout, which is a fair trial. A call whose deadline passes before it reaches the inner service counts as
    /// nothing.
    pub fn on_deadline(self, on_deadline: OnDeadline) -> CircuitBreakerBuilder {
        self.set(|settings| settings.on_deadline = Some(on_deadline))
    }

    /// For a policy whose calls have this much time each, and are timed for the sake of their bodies if `timed`.
    pub(crate) fn attempts_take(self, timeout: Option<Duration>, timed: bool) -> CircuitBreakerBuilder {
        self.set(|settings| (settings.fair_trial, settings.timed) = (timeout.map(|timeout| timeout / 2), timed))
    }

    /// Measures but never rejects, unless forced open. Reports that it would have opened, and does so again only after
    /// a time when no rule was broken.
    pub fn observe_only(self) -> CircuitBreakerBuilder {
        self.set(|settings| settings.observe_only = true)
    }

    /// Reports events to `observer` instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> CircuitBreakerBuilder {
        Arc::make_mut(&mut self.config).notifier = Notifier::new(observer);
        self
    }

    /// Reports events to `notifier`, unless an observer was set.
    pub(crate) fn or_notifier(mut self, notifier: &Notifier) -> CircuitBreakerBuilder {
        if notifier.is_set() && !self.config.notifier.is_set() {
            Arc::make_mut(&mut self.config).notifier = notifier.clone();
        }
        self
    }

    /// Draws jitter from a generator with this seed, to make a test repeatable. Circuit breakers built from one
    /// template share the generator.
    pub fn random_seed(mut self, seed: u64) -> CircuitBreakerBuilder {
        Arc::make_mut(&mut self.config).random = Random::seeded(seed);
        self
    }

    /// Checks the settings and builds a closed circuit breaker. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and which rule.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        let (name, template) = self.checked()?;
        Ok(template.make(name))
    }

    pub(crate) fn checked(self) -> Result<(Name, CircuitBreakerTemplate), ConfigError> {
        check(Subject::checked("circuit breaker", &self.name)?, &self.config.settings)?;
        let CircuitBreakerBuilder { name, config } = self.or_default_observer();
        Ok((name, CircuitBreakerTemplate(config)))
    }
}

/// Checked settings, from which any number of circuit breakers can be built.
#[derive(Clone, Debug)]
pub struct CircuitBreakerTemplate(Arc<CircuitBreakerConfig>);

impl CircuitBreakerTemplate {
    pub(crate) fn make(&self, name: Name) -> CircuitBreaker {
        CircuitBreaker::new(Shared::new(name, Arc::clone(&self.0)))
    }

    /// The same settings, for the circuit breakers of a keyed family.
    pub(crate) fn of_family(mut self, name: &Name) -> CircuitBreakerTemplate {
        Arc::make_mut(&mut self.0).family = Some(name.clone());
        self
    }

    /// The same settings, for circuit breakers that measure and never reject.
    pub(crate) fn observing(&self) -> CircuitBreakerTemplate {
        let mut config = CircuitBreakerConfig::clone(&self.0);
        config.settings.observe_only = true;
        CircuitBreakerTemplate(Arc::new(config))
    }

    pub(crate) fn notifier(&self) -> &Notifier {
        &self.0.notifier
    }
}

fn check(circuit_breaker: Subject<'_>, settings: &CircuitSettings) -> Result<(), ConfigError> {
    circuit_breaker.count("consecutive_failures", settings.consecutive_failures, Most::MILLION)?;
    circuit_breaker.ratio("failure_rate", settings.failure_rate)?;
    circuit_breaker.ratio("slow_rate", settings.slow_rate)?;
    circuit_breaker.time("slow_call", settings.slow_call)?;
    circuit_breaker.count("count_window", settings.count_window, Most::MILLION)?;
    circuit_breaker.time("time_window", settings.time_window)?;
    circuit_breaker.count("minimum_calls", settings.minimum_calls, Most::MILLION)?;
    check_window(circuit_breaker, settings)?;
    check_half_open(circuit_breaker, settings)?;
    check_open_time(circuit_breaker, &settings.open)
}

fn check_window(circuit_breaker: Subject<'_>, settings: &CircuitSettings) -> Result<(), ConfigError> {
    let CircuitSettings { slow_rate, slow_call, count_window, time_window, minimum_calls, .. } = settings;
    if let (Some(rate), None) = (slow_rate, slow_call) {
        return Err(circuit_breaker.refuse("slow_rate", rate, "needs `slow_call`"));
    }
    if let (Some(_), Some(time)) = (count_window, time_window) {
        return Err(circuit_breaker.refuse("time_window", time, "must not be set together with `count_window`"));
    }
    if !settings.has_rate() {
        let without_rate = "means nothing without `failure_rate` or `slow_rate`";
        let counts = [("count_window", count_window), ("minimum_calls", minimum_calls)];
        if let Some((field, value)) = counts.iter().find_map(|(field, value)| Some((field, (*value).as_ref()?))) {
            return Err(circuit_breaker.refuse(field, value, without_rate));
        }
        if let Some(time) = time_window {
            return Err(circuit_breaker.refuse("time_window", time, without_rate));
        }
    }
    match (settings.span(), *minimum_calls) {
        (Some(Span::Calls(size)), Some(minimum)) if minimum > size => {
            Err(circuit_breaker.refuse("minimum_calls", minimum, "must not be greater than the count window"))
        }
        _ => Ok(()),
    }
}

fn check_half_open(circuit_breaker: Subject<'_>, settings: &CircuitSettings) -> Result<(), ConfigError> {
    let (probes, successes, trials) =
        (settings.max_concurrent_probes, settings.success_threshold, settings.max_trials());
    circuit_breaker.count("max_concurrent_probes", probes, Most::THOUSAND)?;
    circuit_breaker.count("success_threshold", successes, Most::MILLION)?;
    circuit_breaker.count("max_trials", settings.max_trials, Most::MILLION)?;
    circuit_breaker.time("probe_timeout", settings.probe_timeout)?;
    circuit_breaker.require(
        successes <= trials,
        "success_threshold",
        successes,
        "must not be greater than `max_trials`",
    )?;
    circuit_breaker.require(probes <= trials, "max_concurrent_probes", probes, "must not be greater than `max_trials`")
}

fn check_open_time(circuit_breaker: Subject<'_>, open: &Backoff) -> Result<(), ConfigError> {
    let field = if open.is_constant() { "open_for" } else { "open_backoff" };
    circuit_breaker.time(field, open.base())?;
    circuit_breaker.backoff(field, open)
}
