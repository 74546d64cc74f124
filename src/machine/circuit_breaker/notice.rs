use crate::machine::window::Totals;

/// The state of a circuit breaker, as callers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// A few calls pass, to find out whether the backend has recovered; the others are rejected.
    HalfOpen,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half-open",
        })
    }
}

/// Why a circuit breaker changed its state, or would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransitionCause {
    /// The limit of consecutive failures was reached.
    ConsecutiveFailures,
    /// The failure rate reached its threshold.
    FailureRate,
    /// The slow rate reached its threshold.
    SlowRate,
    /// The open time was over and a call arrived.
    OpenTimeElapsed,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// So many probes failed that too few could still succeed.
    ProbesFailed,
    /// The last probe that was needed did not end in time.
    ProbeTimedOut,
    /// `force_open` or `force_closed` was called.
    Forced,
    /// `reset` was called.
    Reset,
    /// It is being held open.
    HeldOpen,
    /// The last guard that held it open was closed, which says that the backend is well.
    Released,
}

impl TransitionCause {
    /// A short constant text, for logs and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TransitionCause::ConsecutiveFailures => "consecutive failures",
            TransitionCause::FailureRate => "failure rate",
            TransitionCause::SlowRate => "slow rate",
            TransitionCause::OpenTimeElapsed => "open time elapsed",
            TransitionCause::ProbesSucceeded => "probes succeeded",
            TransitionCause::ProbesFailed => "probes failed",
            TransitionCause::ProbeTimedOut => "probe timed out",
            TransitionCause::Forced => "forced",
            TransitionCause::Reset => "reset",
            TransitionCause::HeldOpen => "held open",
            TransitionCause::Released => "released",
        }
    }
}

impl std::fmt::Display for TransitionCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a circuit breaker has counted since it entered its state.
///
/// While half-open these are the trials: `calls` were settled, of which `failures` failed; the other two are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Verdicts in the window. While closed, always 0 for a circuit breaker without a rate.
    pub calls: u64,
    /// Failed verdicts in the window.
    pub failures: u64,
    /// Slow verdicts in the window.
    pub slow: u64,
    /// Failures since the last success.
    pub consecutive_failures: u32,
}

impl Counts {
    pub(crate) fn new(totals: Totals, consecutive_failures: u32) -> Counts {
        let Totals { calls, failures, slow } = totals;
        Counts { calls, failures, slow, consecutive_failures }
    }

    /// The failed share of the window, if it is not empty.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        rate(self.failures, self.calls)
    }

    /// The slow share of the window, if it is not empty.
    #[must_use]
    pub fn slow_rate(&self) -> Option<f64> {
        rate(self.slow, self.calls)
    }
}

/// `part` of `whole`; the quotient of two integers is rounded to the same float as the decimal it is compared with.
pub(crate) fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Something that the machine has to report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Notice {
    Transition { from: State, to: State, sequence: u64, cause: TransitionCause, counts: Counts },
    WouldHaveOpened { cause: TransitionCause, counts: Counts },
}

/// What one step may have to report: a probe that timed out reopens the circuit, and the same admission can be the next
/// probe.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Notices {
    pub(crate) first: Option<Notice>,
    pub(crate) second: Option<Notice>,
}

impl Notices {
    pub(crate) fn push(&mut self, notice: Notice) {
        debug_assert!(self.second.is_none(), "no step reports three things");
        if self.first.is_none() {
            self.first = Some(notice);
        } else {
            self.second = Some(notice);
        }
    }
}
