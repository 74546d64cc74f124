use metrics::Unit;

use crate::Verdict;
use crate::circuit::{Cause, State};
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
    CircuitOpened(Cause),
    CircuitWouldHaveOpened(Cause),
    Rejections(Reason),
    BulkheadSlots,
    BulkheadInUse,
    BulkheadWaiting,
    RetryRequests,
    Retries,
    RetryStops(StopReason),
    RetryBudgetTokens,
    Timeouts(Limit),
}

/// Why a call was rejected without having been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    CircuitOpen,
    BulkheadFull,
    BulkheadWaitOver,
}

/// What is the same for all series of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    pub(super) help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const fn metric(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind, unit, help }
}

const CALLS: Metric = metric(
    "seaworthy_circuit_calls_total",
    Kind::Counter,
    Unit::Count,
    "Calls that a circuit let pass and that were settled, by what they said about the backend",
);
const CALL_DURATION: Metric = metric(
    "seaworthy_circuit_call_duration_seconds",
    Kind::Histogram,
    Unit::Seconds,
    "How long the calls took that a circuit let pass, from there until they were settled",
);
const READY_FAILURES: Metric = metric(
    "seaworthy_circuit_ready_failures_total",
    Kind::Counter,
    Unit::Count,
    "Times that a circuit's inner service failed to become ready for a call",
);
const STATE: Metric = metric(
    "seaworthy_circuit_state",
    Kind::Gauge,
    Unit::Count,
    "1 for the state that a circuit is in, 0 for the others",
);
const TRANSITIONS: Metric =
    metric("seaworthy_circuit_transitions_total", Kind::Counter, Unit::Count, "Changes of a circuit's state");
const OPENED: Metric =
    metric("seaworthy_circuit_opened_total", Kind::Counter, Unit::Count, "Times that a circuit opened, by the cause");
const WOULD_HAVE_OPENED: Metric = metric(
    "seaworthy_circuit_would_have_opened_total",
    Kind::Counter,
    Unit::Count,
    "Times that a circuit that only observes would have opened, by the cause",
);
const REJECTIONS: Metric = metric(
    "seaworthy_rejections_total",
    Kind::Counter,
    Unit::Count,
    "Calls that were rejected without having been made, by the reason",
);
const SLOTS: Metric =
    metric("seaworthy_bulkhead_slots", Kind::Gauge, Unit::Count, "How many calls a bulkhead lets run at a time");
const IN_USE: Metric =
    metric("seaworthy_bulkhead_slots_in_use", Kind::Gauge, Unit::Count, "Slots of a bulkhead in use");
const WAITING: Metric =
    metric("seaworthy_bulkhead_waiting", Kind::Gauge, Unit::Count, "Calls that wait for a slot of a bulkhead");
const REQUESTS: Metric = metric(
    "seaworthy_retry_requests_total",
    Kind::Counter,
    Unit::Count,
    "Requests that a retry policy made a first attempt for",
);
const RETRIES: Metric =
    metric("seaworthy_retries_total", Kind::Counter, Unit::Count, "Attempts that failed and were to be made again");
const STOPS: Metric = metric(
    "seaworthy_retry_stops_total",
    Kind::Counter,
    Unit::Count,
    "Requests that failed at first and were not, or no longer, retried, by the reason",
);
const BUDGET: Metric = metric(
    "seaworthy_retry_budget_tokens",
    Kind::Gauge,
    Unit::Count,
    "Retries that the budget had tokens for when the policy last asked it",
);
const TIMEOUTS: Metric =
    metric("seaworthy_timeouts_total", Kind::Counter, Unit::Count, "Calls and bodies that were given up, by the limit");

pub(super) const METRICS: [Metric; 16] = [
    CALLS,
    CALL_DURATION,
    READY_FAILURES,
    STATE,
    TRANSITIONS,
    OPENED,
    WOULD_HAVE_OPENED,
    REJECTIONS,
    SLOTS,
    IN_USE,
    WAITING,
    REQUESTS,
    RETRIES,
    STOPS,
    BUDGET,
    TIMEOUTS,
];

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
            Series::BulkheadSlots => SLOTS,
            Series::BulkheadInUse => IN_USE,
            Series::BulkheadWaiting => WAITING,
            Series::RetryRequests => REQUESTS,
            Series::Retries => RETRIES,
            Series::RetryStops(_) => STOPS,
            Series::RetryBudgetTokens => BUDGET,
            Series::Timeouts(_) => TIMEOUTS,
        }
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
            Series::CircuitReadyFailures
            | Series::BulkheadSlots
            | Series::BulkheadInUse
            | Series::BulkheadWaiting
            | Series::RetryRequests
            | Series::Retries
            | Series::RetryBudgetTokens => [None, None],
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

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::ConsecutiveFailures => "consecutive_failures",
        Cause::FailureRate => "failure_rate",
        Cause::SlowRate => "slow_rate",
        Cause::OpenTimeElapsed => "open_time_elapsed",
        Cause::ProbesSucceeded => "probes_succeeded",
        Cause::ProbesFailed => "probes_failed",
        Cause::ProbeTimedOut => "probe_timed_out",
        Cause::Forced => "forced",
        Cause::Reset => "reset",
        Cause::HeldOpen => "held_open",
        Cause::Released => "released",
    }
}

const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::CircuitOpen => "circuit_open",
        Reason::BulkheadFull => "bulkhead_full",
        Reason::BulkheadWaitOver => "bulkhead_wait_over",
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
