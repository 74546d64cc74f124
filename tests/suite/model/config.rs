use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{Backoff, CircuitBreaker, Jitter, OnDrop};

/// The settings of a circuit breaker, each left out or named, so that both the defaults and the setters are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub consecutive: Option<u32>,
    pub failure_rate: Option<Share>,
    pub slow_rate: Option<Share>,
    pub slow_call: Option<Duration>,
    pub window: Option<Window>,
    pub minimum: Option<u32>,
    pub open: Option<Open>,
    pub probes: Option<u32>,
    pub successes: Option<u32>,
    pub trials: Option<u32>,
    pub probe_timeout: Option<Duration>,
    pub on_drop: Option<OnDrop>,
    pub observe_only: bool,
}

/// A number out of a number. The model compares whole numbers, the circuit breaker gets the quotient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub u32, pub u32);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    Calls(u32),
    Time(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Open {
    For(Duration),
    /// Times `factor` with each failed half-open in a row; whole, so that the model need not round.
    Growing {
        base: Duration,
        factor: u32,
        cap: Duration,
    },
    /// A second, and after a failed half-open for ever.
    ThenForEver,
}

impl Config {
    /// Turns numbers that `build` would refuse into the nearest that it accepts.
    pub fn fit(mut self) -> Config {
        if self.slow_rate.is_some() {
            self.slow_call.get_or_insert(Duration::from_millis(10));
        }
        if self.failure_rate.is_none() && self.slow_rate.is_none() {
            self.window = None;
            self.minimum = None;
        }
        if let Some(Window::Calls(size)) = self.window {
            self.minimum = self.minimum.map(|minimum| minimum.min(size));
        }
        let most = self.trials();
        self.successes = self.successes.map(|successes| successes.min(most));
        let most = self.trials();
        self.probes = self.probes.map(|probes| probes.min(most));
        self
    }

    pub fn circuit_breaker(
        &self,
        observed: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
    ) -> CircuitBreaker {
        let mut builder = observed(CircuitBreaker::builder("model"));
        builder = set(builder, self.consecutive, CircuitBreakerBuilder::consecutive_failures);
        builder = set(builder, self.failure_rate.map(Share::quotient), CircuitBreakerBuilder::failure_rate);
        builder = set(builder, self.slow_rate.map(Share::quotient), CircuitBreakerBuilder::slow_rate);
        builder = set(builder, self.slow_call, CircuitBreakerBuilder::slow_call);
        builder = set(builder, self.window, |builder, window| match window {
            Window::Calls(size) => builder.count_window(size),
            Window::Time(span) => builder.time_window(span),
        });
        builder = set(builder, self.minimum, CircuitBreakerBuilder::minimum_calls);
        builder = set(builder, self.open, |builder, open| match open {
            Open::For(time) => builder.open_for(time),
            Open::Growing { base, factor, cap } => {
                builder.open_backoff(Backoff::exponential(base, cap).factor(f64::from(factor)).jitter(Jitter::None))
            }
            Open::ThenForEver => builder.open_backoff(
                Backoff::exponential(Duration::from_secs(1), Duration::MAX).factor(1e30).jitter(Jitter::None),
            ),
        });
        builder = set(builder, self.probes, CircuitBreakerBuilder::max_concurrent_probes);
        builder = set(builder, self.successes, CircuitBreakerBuilder::success_threshold);
        builder = set(builder, self.trials, CircuitBreakerBuilder::max_trials);
        builder = set(builder, self.probe_timeout, CircuitBreakerBuilder::probe_timeout);
        builder = set(builder, self.on_drop, CircuitBreakerBuilder::on_drop);
        builder = if self.observe_only { builder.observe_only() } else { builder };
        builder.build().unwrap()
    }

    // The effective settings; the defaults are written out again here, from the specification.

    pub fn has_rate(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }

    pub fn consecutive(&self) -> Option<u32> {
        if self.consecutive.is_none() && !self.has_rate() { Some(5) } else { self.consecutive }
    }

    /// None without a rate.
    pub fn window(&self) -> Option<Window> {
        if self.has_rate() { Some(self.window.unwrap_or(Window::Calls(100))) } else { None }
    }

    pub fn minimum(&self) -> u32 {
        match (self.minimum, self.window()) {
            (Some(minimum), _) => minimum,
            (None, Some(Window::Calls(size))) => size,
            (None, _) => 20,
        }
    }

    pub fn probes(&self) -> usize {
        self.probes.unwrap_or(1) as usize
    }

    pub fn successes(&self) -> usize {
        self.successes.unwrap_or(1) as usize
    }

    pub fn trials(&self) -> u32 {
        self.trials.or(self.successes).unwrap_or(1)
    }

    /// The open time after this many failed half-open states in a row; None is for ever.
    pub fn open_time(&self, failed: usize) -> Option<Duration> {
        match self.open.unwrap_or(Open::For(Duration::from_secs(30))) {
            Open::For(Duration::MAX) => None,
            Open::For(time) => Some(time),
            Open::Growing { base, factor, cap } => {
                let grown = (0..failed).fold(base, |time, _| time.saturating_mul(factor));
                Some(grown.min(cap))
            }
            Open::ThenForEver if failed == 0 => Some(Duration::from_secs(1)),
            Open::ThenForEver => None,
        }
    }

    pub fn on_drop(&self) -> OnDrop {
        self.on_drop.unwrap_or(OnDrop::Ignore)
    }
}

impl Share {
    fn quotient(self) -> f64 {
        f64::from(self.0) / f64::from(self.1)
    }

    /// Whether `part` of `whole` is at least this share.
    pub fn is_reached(self, part: usize, whole: usize) -> bool {
        part * self.1 as usize >= whole * self.0 as usize
    }
}

fn set<T>(
    builder: CircuitBreakerBuilder,
    value: Option<T>,
    setter: impl FnOnce(CircuitBreakerBuilder, T) -> CircuitBreakerBuilder,
) -> CircuitBreakerBuilder {
    match value {
        Some(value) => setter(builder, value),
        None => builder,
    }
}
