use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::config::Config;
use super::core::Core;
use super::handle::Circuit;
use crate::audience::Audience;
use crate::error::check::{Most, Subject};
use crate::keyed::KeyedBuilder;
use crate::machine::backoff::Backoff;
use crate::machine::settings::{OnDrop, Settings};
use crate::machine::window::Span;
use crate::random::Random;
use crate::{ConfigError, Name, Observer};

static DEFAULT: LazyLock<Arc<Config>> = LazyLock::new(Arc::default);

/// The settings of a [`Circuit`]. Made by [`Circuit::builder`]; nothing is checked before [`build`](Self::build).
///
/// A circuit opens when any of its rules is broken: so many failures in a row, a failure rate, a slow rate. Without
/// any, it opens after 5 failures in a row; naming one turns this default off. The rates are measured over one window
/// and mean nothing before `minimum_calls` verdicts are in it.
///
/// # Clone
/// A builder is a template: circuits built from clones of it share one copy of the settings.
///
/// ```
/// use seaworthy::Circuit;
/// use std::time::Duration;
///
/// let template = Circuit::builder("shards")
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
pub struct CircuitBuilder {
    name: Name,
    config: Arc<Config>,
}

impl CircuitBuilder {
    pub(super) fn new(name: Name) -> CircuitBuilder {
        CircuitBuilder { name, config: DEFAULT.clone() }.or_default_observer()
    }

    /// Asked for where it begins, so that the circuits of a template share it, and where it ends, so that the builder may
    /// be older than the default.
    fn or_default_observer(mut self) -> CircuitBuilder {
        if let Some(default) = self.config.audience.missing() {
            Arc::make_mut(&mut self.config).audience = default.clone();
        }
        self
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> CircuitBuilder {
        change(&mut Arc::make_mut(&mut self.config).settings);
        self
    }

    /// Another name, for the next circuit of a template. Must not be empty.
    pub fn name(mut self, name: impl Into<Name>) -> CircuitBuilder {
        self.name = name.into();
        self
    }

    /// Opens on the `count`-th failure in a row. From 1 to 1,000,000; 5 if no rule is named.
    pub fn consecutive_failures(self, count: u32) -> CircuitBuilder {
        self.set(|settings| settings.consecutive_failures = Some(count))
    }

    /// Opens when this share of the window failed. Above 0, at most 1; off unless set.
    pub fn failure_rate(self, threshold: f64) -> CircuitBuilder {
        self.set(|settings| settings.failure_rate = Some(threshold))
    }

    /// Opens when this share of the window took longer than [`slow_call`](Self::slow_call). Above 0, at most 1; off
    /// unless set.
    pub fn slow_rate(self, threshold: f64) -> CircuitBuilder {
        self.set(|settings| settings.slow_rate = Some(threshold))
    }

    /// Calls longer than this are slow, whether they fail or not. A slow probe is a failed trial. More than zero; no
    /// call is slow unless set. Costs a clock read where a call begins and one where it ends.
    pub fn slow_call(self, limit: Duration) -> CircuitBuilder {
        self.set(|settings| settings.slow_call = Some(limit))
    }

    /// Measures rates over the last `calls` verdicts. From 1 to 1,000,000; 100 if a rate and no window is named.
    pub fn count_window(self, calls: u32) -> CircuitBuilder {
        self.set(|settings| settings.count_window = Some(calls))
    }

    /// Measures rates over the verdicts of the last `span`: none leaves earlier, and none stays for more than a tenth
    /// of it longer. More than zero.
    pub fn time_window(self, span: Duration) -> CircuitBuilder {
        self.set(|settings| settings.time_window = Some(span))
    }

    /// Rates mean nothing before so many verdicts are in the window. From 1 to 1,000,000, at most the count window. The
    /// whole count window if not set, or 20 for a time window.
    pub fn minimum_calls(self, count: u32) -> CircuitBuilder {
        self.set(|settings| settings.minimum_calls = Some(count))
    }

    /// Stays open for so long. More than zero; 30 s if not set. A time too long to be told is without end. Replaces
    /// [`open_backoff`](Self::open_backoff).
    pub fn open_for(self, time: Duration) -> CircuitBuilder {
        self.set(|settings| settings.open = Backoff::constant(time))
    }

    /// Stays open for longer with each failed half-open in a row, and starts over once the circuit closes. Replaces
    /// [`open_for`](Self::open_for).
    pub fn open_backoff(self, backoff: Backoff) -> CircuitBuilder {
        self.set(|settings| settings.open = backoff)
    }

    /// Lets so many probes pass at a time while half-open. From 1 to 1,000, at most the trials; 1 if not set.
    pub fn probes(self, count: u32) -> CircuitBuilder {
        self.set(|settings| settings.probes = count)
    }

    /// Closes when so many probes succeeded. From 1 to 1,000,000, at most the trials; 1 if not set.
    pub fn successes(self, count: u32) -> CircuitBuilder {
        self.set(|settings| settings.successes = count)
    }

    /// Sends out so many probes at most in one half-open state; it opens again as soon as not enough of them can
    /// succeed. From 1 to 1,000,000; as many as the successes if not set.
    pub fn trials(self, count: u32) -> CircuitBuilder {
        self.set(|settings| settings.trials = Some(count))
    }

    /// Gives up a probe that has not ended after so long, as a failed trial. More than zero; the open time then in
    /// force, before its jitter, if not set.
    pub fn probe_timeout(self, time: Duration) -> CircuitBuilder {
        self.set(|settings| settings.probe_timeout = Some(time))
    }

    /// What a call counts as when it is dropped before it ended; nothing if not set.
    pub fn on_drop(self, on_drop: OnDrop) -> CircuitBuilder {
        self.set(|settings| settings.on_drop = on_drop)
    }

    /// Measures and never rejects, unless forced open; tells once when it would have opened, until no rule is broken
    /// any more.
    pub fn observe_only(self) -> CircuitBuilder {
        self.set(|settings| settings.observe_only = true)
    }

    /// Tells `observer` what happens, in place of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> CircuitBuilder {
        Arc::make_mut(&mut self.config).audience = Audience::new(Arc::new(observer));
        self
    }

    /// Tells `audience` what happens, unless an observer was given.
    pub(crate) fn or_audience(mut self, audience: &Audience) -> CircuitBuilder {
        if audience.is_set() && !self.config.audience.is_set() {
            Arc::make_mut(&mut self.config).audience = audience.clone();
        }
        self
    }

    /// Draws jitter from a generator with this seed, so that a test can repeat it. Circuits of one template share the
    /// generator.
    pub fn random_seed(mut self, seed: u64) -> CircuitBuilder {
        Arc::make_mut(&mut self.config).random = Random::seeded(seed);
        self
    }

    /// Checks the settings and makes a closed circuit of them. Nothing about settings fails later.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<Circuit, ConfigError> {
        let (name, template) = self.checked()?;
        Ok(template.make(name))
    }

    /// A circuit of these settings for each key, made when the key is first asked for: see
    /// [`keyed`](crate::keyed). The name is the family's.
    pub fn keyed<K>(self) -> KeyedBuilder<K, Circuit> {
        KeyedBuilder::new(self)
    }

    pub(crate) fn checked(self) -> Result<(Name, CircuitTemplate), ConfigError> {
        check(Subject::checked("circuit breaker", &self.name)?, &self.config.settings)?;
        let CircuitBuilder { name, config } = self.or_default_observer();
        Ok((name, CircuitTemplate(config)))
    }
}

/// Settings that were checked, to make any number of circuits of.
#[derive(Clone, Debug)]
pub struct CircuitTemplate(Arc<Config>);

impl CircuitTemplate {
    pub(crate) fn make(&self, name: Name) -> Circuit {
        Circuit::new(Core::new(name, Arc::clone(&self.0)))
    }

    /// The same for circuits of a keyed family.
    pub(crate) fn of_family(mut self, name: &Name) -> CircuitTemplate {
        Arc::make_mut(&mut self.0).family = Some(name.clone());
        self
    }

    /// The same for circuits that measure and never reject.
    pub(crate) fn observing(&self) -> CircuitTemplate {
        let mut config = Config::clone(&self.0);
        config.settings.observe_only = true;
        CircuitTemplate(Arc::new(config))
    }

    pub(crate) fn audience(&self) -> &Audience {
        &self.0.audience
    }
}

fn check(circuit: Subject<'_>, settings: &Settings) -> Result<(), ConfigError> {
    circuit.count("consecutive_failures", settings.consecutive_failures, Most::MILLION)?;
    circuit.ratio("failure_rate", settings.failure_rate)?;
    circuit.ratio("slow_rate", settings.slow_rate)?;
    circuit.time("slow_call", settings.slow_call)?;
    circuit.count("count_window", settings.count_window, Most::MILLION)?;
    circuit.time("time_window", settings.time_window)?;
    circuit.count("minimum_calls", settings.minimum_calls, Most::MILLION)?;
    check_window(circuit, settings)?;
    check_half_open(circuit, settings)?;
    check_open_time(circuit, &settings.open)
}

fn check_window(circuit: Subject<'_>, settings: &Settings) -> Result<(), ConfigError> {
    let Settings { slow_rate, slow_call, count_window, time_window, minimum_calls, .. } = settings;
    if let (Some(rate), None) = (slow_rate, slow_call) {
        return Err(circuit.refuse("slow_rate", rate, "needs `slow_call`"));
    }
    if let (Some(_), Some(time)) = (count_window, time_window) {
        return Err(circuit.refuse("time_window", time, "must not be set together with `count_window`"));
    }
    if !settings.has_rate() {
        let without_rate = "means nothing without `failure_rate` or `slow_rate`";
        let counts = [("count_window", count_window), ("minimum_calls", minimum_calls)];
        if let Some((field, value)) = counts.iter().find_map(|(field, value)| Some((field, (*value).as_ref()?))) {
            return Err(circuit.refuse(field, value, without_rate));
        }
        if let Some(time) = time_window {
            return Err(circuit.refuse("time_window", time, without_rate));
        }
    }
    match (settings.span(), *minimum_calls) {
        (Some(Span::Calls(size)), Some(minimum)) if minimum > size => {
            Err(circuit.refuse("minimum_calls", minimum, "must not be greater than the count window"))
        }
        _ => Ok(()),
    }
}

fn check_half_open(circuit: Subject<'_>, settings: &Settings) -> Result<(), ConfigError> {
    let (probes, successes, trials) = (settings.probes, settings.successes, settings.trials());
    circuit.count("probes", probes, Most::THOUSAND)?;
    circuit.count("successes", successes, Most::MILLION)?;
    circuit.count("trials", settings.trials, Most::MILLION)?;
    circuit.time("probe_timeout", settings.probe_timeout)?;
    circuit.require(successes <= trials, "successes", successes, "must not be greater than `trials`")?;
    circuit.require(probes <= trials, "probes", probes, "must not be greater than `trials`")
}

fn check_open_time(circuit: Subject<'_>, open: &Backoff) -> Result<(), ConfigError> {
    let field = if open.is_constant() { "open_for" } else { "open_backoff" };
    circuit.time(field, open.base())?;
    circuit.backoff(field, open)
}
