use std::time::Duration;

use crate::machine::retry::backoff::Backoff;
use crate::machine::window::Span;

/// The rules of a circuit breaker as they were given; its builder checks them. Defaults are filled in where they are
/// needed, so that circuit breakers built from one template can share one copy.
#[derive(Clone, Debug)]
pub(crate) struct CircuitSettings {
    pub(crate) consecutive_failures: Option<u32>,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_rate: Option<f64>,
    pub(crate) slow_call: Option<Duration>,
    pub(crate) count_window: Option<u32>,
    pub(crate) time_window: Option<Duration>,
    pub(crate) minimum_calls: Option<u32>,
    pub(crate) open: Backoff,
    pub(crate) max_concurrent_probes: u32,
    pub(crate) max_trials: Option<u32>,
    pub(crate) success_threshold: u32,
    /// The open time in force if not set.
    pub(crate) probe_timeout: Option<Duration>,
    /// Nothing if not set.
    pub(crate) on_drop: Option<OnDrop>,
    /// What `on_drop` is set to if not set.
    pub(crate) on_deadline: Option<OnDeadline>,
    /// In a policy that sets neither: a call that its deadline ended has failed if it had run for longer.
    pub(crate) fair_trial: Option<Duration>,
    pub(crate) observe_only: bool,
    /// Calls are timed for somebody else.
    pub(crate) timed: bool,
}

pub(crate) const DEFAULT_CONSECUTIVE: u32 = 5;
pub(crate) const DEFAULT_COUNT_WINDOW: u32 = 100;
pub(crate) const DEFAULT_MINIMUM: u32 = 20;
pub(crate) const DEFAULT_OPEN: Duration = Duration::from_secs(30);

impl Default for CircuitSettings {
    fn default() -> CircuitSettings {
        CircuitSettings {
            consecutive_failures: None,
            failure_rate: None,
            slow_rate: None,
            slow_call: None,
            count_window: None,
            time_window: None,
            minimum_calls: None,
            open: Backoff::constant(DEFAULT_OPEN),
            max_concurrent_probes: 1,
            max_trials: None,
            success_threshold: 1,
            probe_timeout: None,
            on_drop: None,
            on_deadline: None,
            fair_trial: None,
            observe_only: false,
            timed: false,
        }
    }
}

impl CircuitSettings {
    pub(crate) fn has_rate(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }

    /// Opens after this many failures in a row. Setting any rule turns the default one off.
    pub(crate) fn consecutive(&self) -> Option<u32> {
        let default = (!self.has_rate()).then_some(DEFAULT_CONSECUTIVE);
        self.consecutive_failures.or(default)
    }

    /// What the rates are measured over; there is a span if and only if there is a rate.
    pub(crate) fn span(&self) -> Option<Span> {
        let calls = Span::Calls(self.count_window.unwrap_or(DEFAULT_COUNT_WINDOW));
        self.has_rate().then(|| self.time_window.map_or(calls, Span::Time))
    }

    /// How many verdicts a rate needs before it counts.
    pub(crate) fn minimum(&self) -> u32 {
        self.minimum_calls.unwrap_or(match self.span() {
            Some(Span::Calls(size)) => size,
            Some(Span::Time(_)) | None => DEFAULT_MINIMUM,
        })
    }

    /// How many probes in total a half-open circuit sends before it has decided.
    pub(crate) fn max_trials(&self) -> u32 {
        self.max_trials.unwrap_or(self.success_threshold)
    }

    /// Whether the duration of a call matters to any setting.
    pub(crate) fn measures(&self) -> bool {
        let after = |rule| matches!(rule, Some(OnDrop::FailureAfter(_)));
        self.timed || self.slow_call.is_some() || after(self.on_drop) || after(self.on_deadline)
    }

    pub(crate) fn on_drop(&self) -> OnDrop {
        self.on_drop.unwrap_or_default()
    }

    /// A fair trial needs no measuring of all calls: those with a deadline are measured anyway.
    pub(crate) fn on_deadline(&self) -> OnDeadline {
        let trial = self.fair_trial.map(OnDrop::FailureAfter);
        self.on_deadline.or(self.on_drop).or(trial).unwrap_or_default()
    }

    pub(crate) fn is_slow(&self, took: Duration) -> bool {
        self.slow_call.is_some_and(|limit| took > limit)
    }
}

/// What a call counts as if it is dropped before it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDrop {
    /// Nothing. A client that hangs up says nothing about the backend.
    #[default]
    Ignore,
    /// A failure.
    Failure,
    /// A failure if it had run for longer than this, otherwise nothing: counts the victims of a timeout outside the
    /// circuit breaker and leaves out impatient clients. Costs one clock read when a call starts and one when it ends.
    FailureAfter(Duration),
}

/// What a call counts as that was ended by its [deadline](crate::Deadline) after it had reached the inner service, or
/// dropped after its deadline had passed. The same choice as for other dropped calls.
pub type OnDeadline = OnDrop;
