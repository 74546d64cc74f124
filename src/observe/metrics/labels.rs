//! Label values, written out so that new wording in a log or an enum cannot change a dashboard.

use super::series::RejectionReason;
use crate::error::DeadlineStage;
use crate::machine::circuit_breaker::notice::{State, TransitionCause};
use crate::machine::lifecycle::phase::Phase;
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::machine::retry::attempts::StopReason;
use crate::machine::verdict::Verdict;
use crate::observe::event::{EvictionCause, Limit};

pub(super) const STOP_REASONS: [StopReason; 9] = [
    StopReason::Succeeded,
    StopReason::NotRetryable,
    StopReason::AttemptsExhausted,
    StopReason::NotReplayable,
    StopReason::BudgetEmpty,
    StopReason::DeadlineReached,
    StopReason::RetryAfterTooLong,
    StopReason::NotReady,
    StopReason::ToldNotTo,
];

pub(super) const PROBE_STATES: [ProbeState; 5] =
    [ProbeState::Disabled, ProbeState::Unknown, ProbeState::Starting, ProbeState::Healthy, ProbeState::Unhealthy];

pub(super) const fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Failure => "failure",
        Verdict::Throttled => "throttled",
        // The other is counted as one of these.
        Verdict::Ignored | Verdict::DeadlineExceeded => "ignored",
    }
}

pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half_open",
    }
}

pub(super) const fn cause(cause: TransitionCause) -> &'static str {
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

pub(super) const fn reason(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::CircuitOpen => "circuit_open",
        RejectionReason::BulkheadFull => "bulkhead_full",
        RejectionReason::BulkheadWaitOver => "bulkhead_wait_over",
        RejectionReason::CheckDown => "check_down",
        RejectionReason::Starting => "starting",
        RejectionReason::ShuttingDown => "shutting_down",
    }
}

pub(super) const fn stop_reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Succeeded => "succeeded",
        StopReason::NotRetryable => "not_retryable",
        StopReason::AttemptsExhausted => "attempts_exhausted",
        StopReason::NotReplayable => "not_replayable",
        StopReason::BudgetEmpty => "budget_empty",
        StopReason::DeadlineReached => "deadline_reached",
        StopReason::RetryAfterTooLong => "retry_after_too_long",
        StopReason::NotReady => "not_ready",
        StopReason::ToldNotTo => "told_not_to",
    }
}

pub(super) const fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Response => "response",
        Limit::BodyIdle => "body_idle",
        Limit::BodyTotal => "body_total",
    }
}

pub(super) const fn stage(stage: DeadlineStage) -> &'static str {
    match stage {
        DeadlineStage::Arrival => "arrival",
        DeadlineStage::Queue => "queue",
        DeadlineStage::Attempt => "attempt",
        DeadlineStage::Body => "body",
    }
}

pub(super) const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

pub(super) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Serving => "serving",
        Phase::Draining => "draining",
        Phase::Stopped => "stopped",
    }
}

pub(super) const fn eviction(why: EvictionCause) -> &'static str {
    match why {
        EvictionCause::Idle => "idle",
        EvictionCause::Capacity => "capacity",
        EvictionCause::Removed => "removed",
    }
}

pub(super) const fn target_state(state: ProbeState) -> &'static str {
    match state {
        ProbeState::Disabled => "disabled",
        ProbeState::Unknown => "unknown",
        ProbeState::Starting => "starting",
        ProbeState::Healthy => "healthy",
        ProbeState::Unhealthy => "unhealthy",
    }
}

pub(super) const fn probe_outcome(outcome: ProbeOutcome) -> &'static str {
    match outcome {
        ProbeOutcome::Success => "success",
        ProbeOutcome::Failure => "failure",
        ProbeOutcome::TimedOut => "timed_out",
    }
}
