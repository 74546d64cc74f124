use super::catalog::*;
use super::labels::{
    cause, eviction, limit, outcome, phase, probe_outcome, reason, stage, state, stop_reason, target_state, yes_or_no,
};
use crate::error::DeadlineStage;
use crate::machine::circuit_breaker::notice::{State, TransitionCause};
use crate::machine::lifecycle::phase::Phase;
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::machine::retry::attempts::StopReason;
use crate::machine::verdict::Verdict;
use crate::observe::event::{EvictionCause, Limit};

/// One line of a dashboard, without the name it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Series {
    CircuitCalls(Verdict),
    CircuitCallDuration(Verdict),
    CircuitBodyDuration(Verdict),
    CircuitLateBreaks,
    CircuitReadyFailures,
    CircuitState(State),
    CircuitTransitions(State, State),
    CircuitOpened(TransitionCause),
    CircuitWouldHaveOpened(TransitionCause),
    Rejections(RejectionReason),
    BulkheadLimit,
    BulkheadInUse,
    BulkheadQueued,
    RetryRequests,
    Retries,
    RetryStops(StopReason),
    RetryBudgetTokens,
    Timeouts(Limit),
    DeadlinesExceeded(DeadlineStage),
    DeadlineRemaining,
    Fallbacks,
    Phase(Phase),
    RequestsInFlight,
    CheckState { required: bool, up: bool },
    Tasks,
    TaskFailures { panicked: bool, restarted: bool },
    StreamEnds,
    StreamSkipped,
    KeyedMaxHandles,
    KeyedHandles,
    KeyedEvicted(EvictionCause),
    KeyedExhausted,
    KeyedOverflows,
    TargetState(ProbeState),
    Probes(ProbeOutcome),
    ProbeDuration(ProbeOutcome),
}

/// Why a call was rejected and never made.
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
            Series::CircuitBodyDuration(_) => BODY_DURATION,
            Series::CircuitLateBreaks => LATE_BREAKS,
            Series::CircuitReadyFailures => READY_FAILURES,
            Series::CircuitState(_) => STATE,
            Series::CircuitTransitions(..) => TRANSITIONS,
            Series::CircuitOpened(_) => OPENED,
            Series::CircuitWouldHaveOpened(_) => WOULD_HAVE_OPENED,
            Series::Rejections(_) => REJECTIONS,
            Series::BulkheadLimit => LIMIT,
            Series::BulkheadInUse => IN_USE,
            Series::BulkheadQueued => QUEUED,
            Series::RetryRequests => REQUESTS,
            Series::Retries => RETRIES,
            Series::RetryStops(_) => STOPS,
            Series::RetryBudgetTokens => BUDGET,
            Series::Timeouts(_) => TIMEOUTS,
            Series::DeadlinesExceeded(_) => DEADLINES_EXCEEDED,
            Series::DeadlineRemaining => DEADLINE_REMAINING,
            Series::Fallbacks => FALLBACKS,
            Series::Phase(_) => PHASE,
            Series::RequestsInFlight => IN_FLIGHT,
            Series::CheckState { .. } => CHECK_STATE,
            Series::Tasks => TASKS,
            Series::TaskFailures { .. } => TASK_FAILURES,
            Series::StreamEnds => STREAM_ENDS,
            Series::StreamSkipped => STREAM_SKIPPED,
            Series::KeyedMaxHandles => KEYED_MAX,
            Series::KeyedHandles => KEYED_HANDLES,
            Series::KeyedEvicted(_) => KEYED_EVICTED,
            Series::KeyedExhausted => KEYED_EXHAUSTED,
            Series::KeyedOverflows => KEYED_OVERFLOWS,
            Series::TargetState(_) => TARGET_STATE,
            Series::Probes(_) => PROBES,
            Series::ProbeDuration(_) => PROBE_DURATION,
        }
    }

    /// How many series have the lowest numbers: those a call may need, side by side where it needs two of them.
    pub(super) const FIRST: usize = 24;
    /// How many others there are.
    pub(super) const REST: usize = 88;

    /// A number that no other series has.
    pub(super) const fn number(self) -> usize {
        match self {
            Series::CircuitCalls(verdict) => 2 * verdict as usize,
            Series::CircuitCallDuration(verdict) => 2 * verdict as usize + 1,
            Series::CircuitReadyFailures => 8,
            Series::CircuitState(state) => 9 + state as usize,
            Series::Rejections(reason) => 12 + reason as usize,
            Series::BulkheadLimit => 18,
            Series::BulkheadInUse => 19,
            Series::BulkheadQueued => 20,
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
            Series::Timeouts(limit) => 71 + limit as usize,
            Series::Phase(phase) => 74 + phase as usize,
            Series::CheckState { required, up } => 78 + 2 * required as usize + up as usize,
            Series::TaskFailures { panicked, restarted } => 82 + 2 * panicked as usize + restarted as usize,
            Series::KeyedEvicted(why) => 86 + why as usize,
            Series::TargetState(state) => 89 + state as usize,
            Series::Probes(outcome) => 94 + outcome as usize,
            Series::ProbeDuration(outcome) => 97 + outcome as usize,
            Series::DeadlinesExceeded(stage) => 100 + stage as usize,
            Series::DeadlineRemaining => 104,
            Series::CircuitBodyDuration(verdict) => 105 + verdict as usize,
            Series::CircuitLateBreaks => 109,
            Series::StreamEnds => 110,
            Series::StreamSkipped => 111,
        }
    }

    /// Whether it is about something with a name. A service has none.
    pub(super) const fn has_name(self) -> bool {
        !matches!(self, Series::Phase(_) | Series::RequestsInFlight)
    }

    /// All labels except the name.
    pub(super) fn labels(self) -> [Option<Label>; 2] {
        match self {
            Series::CircuitCalls(verdict)
            | Series::CircuitCallDuration(verdict)
            | Series::CircuitBodyDuration(verdict) => [Some(("outcome", outcome(verdict))), None],
            Series::CircuitState(in_state) => [Some(("state", state(in_state))), None],
            Series::CircuitTransitions(from, to) => [Some(("from", state(from))), Some(("to", state(to)))],
            Series::CircuitOpened(why) | Series::CircuitWouldHaveOpened(why) => [Some(("cause", cause(why))), None],
            Series::Rejections(why) => [Some(("reason", reason(why))), None],
            Series::RetryStops(why) => [Some(("reason", stop_reason(why))), None],
            Series::Timeouts(over) => [Some(("limit", limit(over))), None],
            Series::DeadlinesExceeded(at) => [Some(("stage", stage(at))), None],
            Series::Phase(in_phase) => [Some(("phase", phase(in_phase))), None],
            Series::CheckState { required, up } => {
                [Some(("required", yes_or_no(required))), Some(("state", if up { "up" } else { "down" }))]
            }
            Series::TaskFailures { panicked, restarted } => {
                [Some(("cause", if panicked { "panic" } else { "error" })), Some(("restarted", yes_or_no(restarted)))]
            }
            Series::KeyedEvicted(why) => [Some(("cause", eviction(why))), None],
            Series::TargetState(in_state) => [Some(("state", target_state(in_state))), None],
            Series::Probes(how) | Series::ProbeDuration(how) => [Some(("outcome", probe_outcome(how))), None],
            Series::CircuitReadyFailures
            | Series::CircuitLateBreaks
            | Series::BulkheadLimit
            | Series::BulkheadInUse
            | Series::BulkheadQueued
            | Series::RetryRequests
            | Series::Retries
            | Series::RetryBudgetTokens
            | Series::Fallbacks
            | Series::DeadlineRemaining
            | Series::RequestsInFlight
            | Series::Tasks
            | Series::StreamEnds
            | Series::StreamSkipped
            | Series::KeyedMaxHandles
            | Series::KeyedHandles
            | Series::KeyedExhausted
            | Series::KeyedOverflows => [None, None],
        }
    }
}
