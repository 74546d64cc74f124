use super::catalog::*;
use crate::circuit_breaker::{State, TransitionCause};
use crate::machine::lifecycle::phase::Phase;
use crate::machine::verdict::Verdict;
use crate::observe::event::EvictionCause;
#[cfg(feature = "prober")]
use crate::prober::{ProbeOutcome, ProbeState};
use crate::retry::StopReason;
use crate::timeout::Limit;

/// One line of a dashboard, beside the name that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Series {
    CircuitCalls(Verdict),
    CircuitCallDuration(Verdict),
    CircuitReadyFailures,
    CircuitState(State),
    CircuitTransitions(State, State),
    CircuitOpened(TransitionCause),
    CircuitWouldHaveOpened(TransitionCause),
    Rejections(RejectionReason),
    BulkheadLimit,
    BulkheadInUse,
    BulkheadWaiting,
    RetryRequests,
    Retries,
    RetryStops(StopReason),
    RetryBudgetTokens,
    Timeouts(Limit),
    Fallbacks,
    Phase(Phase),
    RequestsInFlight,
    CheckState {
        required: bool,
        up: bool,
    },
    Tasks,
    TaskFailures {
        panicked: bool,
        restarted: bool,
    },
    KeyedMaxHandles,
    KeyedHandles,
    KeyedEvicted(EvictionCause),
    KeyedExhausted,
    KeyedOverflows,
    #[cfg(feature = "prober")]
    TargetState(ProbeState),
    #[cfg(feature = "prober")]
    Probes(ProbeOutcome),
    #[cfg(feature = "prober")]
    ProbeDuration(ProbeOutcome),
}

/// Why a call was rejected without having been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RejectionReason {
    CircuitOpen,
    BulkheadFull,
    BulkheadWaitOver,
    CheckDown,
    Starting,
    ShuttingDown,
}

type Label = (&'static str, &'static str);

impl Series {
    pub(super) const fn metric(self) -> Metric {
        match self {
            Series::CircuitCalls(_) => CALLS,
            Series::CircuitCallDuration(_) => CALL_DURATION,
            Series::CircuitReadyFailures => READY_FAILURES,
            Series::CircuitState(_) => STATE,
            Series::CircuitTransitions(..) => TRANSITIONS,
            Series::CircuitOpened(_) => OPENED,
            Series::CircuitWouldHaveOpened(_) => WOULD_HAVE_OPENED,
            Series::Rejections(_) => REJECTIONS,
            Series::BulkheadLimit => PERMITS,
            Series::BulkheadInUse => IN_USE,
            Series::BulkheadWaiting => WAITING,
            Series::RetryRequests => REQUESTS,
            Series::Retries => RETRIES,
            Series::RetryStops(_) => STOPS,
            Series::RetryBudgetTokens => BUDGET,
            Series::Timeouts(_) => TIMEOUTS,
            Series::Fallbacks => FALLBACKS,
            Series::Phase(_) => PHASE,
            Series::RequestsInFlight => IN_FLIGHT,
            Series::CheckState { .. } => CHECK_STATE,
            Series::Tasks => TASKS,
            Series::TaskFailures { .. } => TASK_FAILURES,
            Series::KeyedMaxHandles => KEYED_MAX,
            Series::KeyedHandles => KEYED_HANDLES,
            Series::KeyedEvicted(_) => KEYED_FORGOTTEN,
            Series::KeyedExhausted => KEYED_EXHAUSTED,
            Series::KeyedOverflows => KEYED_OVERFLOWS,
            #[cfg(feature = "prober")]
            Series::TargetState(_) => TARGET_STATE,
            #[cfg(feature = "prober")]
            Series::Probes(_) => PROBES,
            #[cfg(feature = "prober")]
            Series::ProbeDuration(_) => PROBE_DURATION,
        }
    }

    /// So many have the lowest numbers: what a call may need, side by side where it needs two of them.
    pub(super) const FIRST: usize = 24;
    /// So many have others.
    pub(super) const REST: usize = 75;

    /// A number of its own.
    pub(super) const fn number(self) -> usize {
        match self {
            Series::CircuitCalls(verdict) => 2 * verdict as usize,
            Series::CircuitCallDuration(verdict) => 2 * verdict as usize + 1,
            Series::CircuitReadyFailures => 8,
            Series::CircuitState(state) => 9 + state as usize,
            Series::Rejections(reason) => 12 + reason as usize,
            Series::BulkheadLimit => 18,
            Series::BulkheadInUse => 19,
            Series::BulkheadWaiting => 20,
            Series::RetryRequests => 21,
            Series::RetryBudgetTokens => 22,
            Series::RequestsInFlight => 23,
            Series::Retries => 24,
            Series::Fallbacks => 25,
            Series::Tasks => 26,
            Series::KeyedMaxHandles => 27,
            Series::KeyedHandles => 28,
            Series::KeyedExhausted => 29,
            Series::KeyedOverflows => 30,
            Series::CircuitTransitions(from, to) => 31 + 3 * from as usize + to as usize,
            Series::CircuitOpened(cause) => 40 + cause as usize,
            Series::CircuitWouldHaveOpened(cause) => 51 + cause as usize,
            Series::RetryStops(reason) => 62 + reason as usize,
            Series::Timeouts(limit) => 70 + limit as usize,
            Series::Phase(phase) => 73 + phase as usize,
            Series::CheckState { required, up } => 77 + 2 * required as usize + up as usize,
            Series::TaskFailures { panicked, restarted } => 81 + 2 * panicked as usize + restarted as usize,
            Series::KeyedEvicted(why) => 85 + why as usize,
            #[cfg(feature = "prober")]
            Series::TargetState(state) => 88 + state as usize,
            #[cfg(feature = "prober")]
            Series::Probes(outcome) => 93 + outcome as usize,
            #[cfg(feature = "prober")]
            Series::ProbeDuration(outcome) => 96 + outcome as usize,
        }
    }

    /// Whether it is about something that has a name. A service has none.
    pub(super) const fn has_name(self) -> bool {
        !matches!(self, Series::Phase(_) | Series::RequestsInFlight)
    }

    /// All labels but the name.
    pub(super) fn labels(self) -> [Option<Label>; 2] {
        match self {
            Series::CircuitCalls(verdict) | Series::CircuitCallDuration(verdict) => {
                [Some(("outcome", outcome(verdict))), None]
            }
            Series::CircuitState(in_state) => [Some(("state", state(in_state))), None],
            Series::CircuitTransitions(from, to) => [Some(("from", state(from))), Some(("to", state(to)))],
            Series::CircuitOpened(why) | Series::CircuitWouldHaveOpened(why) => [Some(("cause", cause(why))), None],
            Series::Rejections(why) => [Some(("reason", reason(why))), None],
            Series::RetryStops(why) => [Some(("reason", stop_reason(why))), None],
            Series::Timeouts(over) => [Some(("limit", limit(over))), None],
            Series::Phase(in_phase) => [Some(("phase", phase(in_phase))), None],
            Series::CheckState { required, up } => {
                [Some(("required", yes_or_no(required))), Some(("state", if up { "up" } else { "down" }))]
            }
            Series::TaskFailures { panicked, restarted } => {
                [Some(("cause", if panicked { "panic" } else { "error" })), Some(("restarted", yes_or_no(restarted)))]
            }
            Series::KeyedEvicted(why) => [Some(("cause", eviction(why))), None],
            #[cfg(feature = "prober")]
            Series::TargetState(in_state) => [Some(("state", target_state(in_state))), None],
            #[cfg(feature = "prober")]
            Series::Probes(how) | Series::ProbeDuration(how) => [Some(("outcome", probe_outcome(how))), None],
            Series::CircuitReadyFailures
            | Series::BulkheadLimit
            | Series::BulkheadInUse
            | Series::BulkheadWaiting
            | Series::RetryRequests
            | Series::Retries
            | Series::RetryBudgetTokens
            | Series::Fallbacks
            | Series::RequestsInFlight
            | Series::Tasks
            | Series::KeyedMaxHandles
            | Series::KeyedHandles
            | Series::KeyedExhausted
            | Series::KeyedOverflows => [None, None],
        }
    }
}

// Written out, so that no other word in a log or an enum changes a dashboard.

const fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Failure => "failure",
        Verdict::Throttled => "throttled",
        Verdict::Ignored => "ignored",
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half_open",
    }
}

const fn cause(cause: TransitionCause) -> &'static str {
    match cause {
        TransitionCause::ConsecutiveFailures => "consecutive_failures",
        TransitionCause::FailureRate => "failure_rate",
        TransitionCause::SlowRate => "slow_rate",
        TransitionCause::OpenTimeElapsed => "open_time_elapsed",
        TransitionCause::ProbesSucceeded => "probes_succeeded",
        TransitionCause::ProbesFailed => "probes_failed",
        TransitionCause::ProbeTimedOut => "probe_timed_out",
        TransitionCause::Forced => "forced",
        TransitionCause::Reset => "reset",
        TransitionCause::HeldOpen => "held_open",
        TransitionCause::Released => "released",
    }
}

const fn reason(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::CircuitOpen => "circuit_open",
        RejectionReason::BulkheadFull => "bulkhead_full",
        RejectionReason::BulkheadWaitOver => "bulkhead_wait_over",
        RejectionReason::CheckDown => "check_down",
        RejectionReason::Starting => "starting",
        RejectionReason::ShuttingDown => "shutting_down",
    }
}

const fn stop_reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Succeeded => "succeeded",
        StopReason::NotRetryable => "not_retryable",
        StopReason::AttemptsExhausted => "attempts_exhausted",
        StopReason::NotReplayable => "not_replayable",
        StopReason::BudgetEmpty => "budget_empty",
        StopReason::DeadlineReached => "deadline_reached",
        StopReason::RetryAfterTooLong => "retry_after_too_long",
        StopReason::NotReady => "not_ready",
    }
}

const fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Response => "response",
        Limit::BodyIdle => "body_idle",
        Limit::BodyTotal => "body_total",
    }
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Serving => "serving",
        Phase::Draining => "draining",
        Phase::Stopped => "stopped",
    }
}

const fn eviction(why: EvictionCause) -> &'static str {
    match why {
        EvictionCause::Idle => "idle",
        EvictionCause::Capacity => "capacity",
        EvictionCause::Removed => "removed",
    }
}

#[cfg(feature = "prober")]
const fn target_state(state: ProbeState) -> &'static str {
    match state {
        ProbeState::Disabled => "disabled",
        ProbeState::Unknown => "unknown",
        ProbeState::Starting => "starting",
        ProbeState::Healthy => "healthy",
        ProbeState::Unhealthy => "unhealthy",
    }
}

#[cfg(feature = "prober")]
const fn probe_outcome(outcome: ProbeOutcome) -> &'static str {
    match outcome {
        ProbeOutcome::Success => "success",
        ProbeOutcome::Failure => "failure",
        ProbeOutcome::TimedOut => "timed_out",
    }
}
