use crate::machine::window::Totals;

/// The state of a circuit, as callers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// A few calls pass, to find out whether the backend is back; the others are rejected.
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

/// Why a circuit changed its state, or would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransitionCause {
    /// So many failures came in a row.
    ConsecutiveFailures,
    /// The failure rate reached its threshold.
    FailureRate,
    /// The slow rate reached its threshold.
    SlowRate,
    /// The open time was over and a call came.
    OpenTimeElapsed,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// So many probes failed that not enough could succeed.
    ProbesFailed,
    /// The last probe that was needed did not end within its time.
    ProbeTimedOut,
    /// Somebody called `force_open` or `force_closed`.
    Forced,
    /// Somebody called `reset`.
    Reset,
    /// Somebody holds it open.
    HeldOpen,
    /// The last one who held it open let go, and said that all is well.
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

/// What a circuit has counted since it came into its state.
///
/// While half-open these are the trials: `calls` were settled, of which `failures` failed; the other two are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Verdicts in the window. While closed, always 0 for a circuit without a rate.
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

    /// The failed share of the window, if there is anything in it.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        rate(self.failures, self.calls)
    }

    /// The slow share of the window, if there is anything in it.
    #[must_use]
    pub fn slow_rate(&self) -> Option<f64> {
        rate(self.slow, self.calls)
    }
}

/// `part` of `whole`; a quotient of integers is rounded to the same float as the decimal that it is compared with.
pub(crate) fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Something that the machine has to tell the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Notice {
    Transition { from: State, to: State, sequence: u64, cause: TransitionCause, counts: Counts },
    WouldHaveOpened { cause: TransitionCause, counts: Counts },
}

/// What one step can have to tell: a probe that timed out reopens the circuit, and the same admission can be the next
/// probe.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Notices {
    pub(crate) first: Option<Notice>,
    pub(crate) second: Option<Notice>,
}

impl Notices {
    pub(crate) fn push(&mut self, notice: Notice) {
        debug_assert!(self.second.is_none(), "no step tells three things");
        if self.first.is_none() {
            self.first = Some(notice);
        } else {
            self.second = Some(notice);
        }
    }
}
