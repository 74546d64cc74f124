use metrics::Unit;

/// What all series of a metric have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) unit: Unit,
    pub(super) help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

const fn metric(name: &'static str, kind: MetricKind, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind, unit, help }
}

pub(super) const CALLS: Metric = metric(
    "seaworthy_circuit_breaker_calls_total",
    MetricKind::Counter,
    Unit::Count,
    "Calls admitted by a circuit breaker and settled, by outcome",
);
pub(super) const CALL_DURATION: Metric = metric(
    "seaworthy_circuit_breaker_call_duration_seconds",
    MetricKind::Histogram,
    Unit::Seconds,
    "How long calls took from being admitted by a circuit breaker until they were settled",
);
pub(super) const BODY_DURATION: Metric = metric(
    "seaworthy_circuit_breaker_body_duration_seconds",
    MetricKind::Histogram,
    Unit::Seconds,
    "How long calls went on in their response bodies until they were settled",
);
pub(super) const LATE_BREAKS: Metric = metric(
    "seaworthy_circuit_breaker_late_breaks_total",
    MetricKind::Counter,
    Unit::Count,
    "Response bodies that broke off after their calls had been settled",
);
pub(super) const READY_FAILURES: Metric = metric(
    "seaworthy_circuit_breaker_ready_failures_total",
    MetricKind::Counter,
    Unit::Count,
    "Times that the inner service of a circuit breaker failed to become ready for a call",
);
pub(super) const STATE: Metric = metric(
    "seaworthy_circuit_breaker_state",
    MetricKind::Gauge,
    Unit::Count,
    "1 for the state that a circuit breaker is in, 0 for the others",
);
pub(super) const TRANSITIONS: Metric = metric(
    "seaworthy_circuit_breaker_transitions_total",
    MetricKind::Counter,
    Unit::Count,
    "Changes of the state of a circuit breaker",
);
pub(super) const OPENED: Metric = metric(
    "seaworthy_circuit_breaker_opened_total",
    MetricKind::Counter,
    Unit::Count,
    "Times that a circuit breaker opened, by cause",
);
pub(super) const WOULD_HAVE_OPENED: Metric = metric(
    "seaworthy_circuit_breaker_would_have_opened_total",
    MetricKind::Counter,
    Unit::Count,
    "Times that a circuit breaker that only observes would have opened, by cause",
);
pub(super) const REJECTIONS: Metric = metric(
    "seaworthy_rejections_total",
    MetricKind::Counter,
    Unit::Count,
    "Calls and requests that were rejected and never made, by reason",
);
pub(super) const LIMIT: Metric =
    metric("seaworthy_bulkhead_limit", MetricKind::Gauge, Unit::Count, "How many calls a bulkhead allows at a time");
pub(super) const IN_USE: Metric =
    metric("seaworthy_bulkhead_permits_in_use", MetricKind::Gauge, Unit::Count, "Permits of a bulkhead in use");
pub(super) const QUEUED: Metric =
    metric("seaworthy_bulkhead_queued", MetricKind::Gauge, Unit::Count, "Calls waiting for a permit of a bulkhead");
pub(super) const REQUESTS: Metric = metric(
    "seaworthy_retry_requests_total",
    MetricKind::Counter,
    Unit::Count,
    "Requests under a retry policy, counted with their first attempt",
);
pub(super) const RETRIES: Metric =
    metric("seaworthy_retries_total", MetricKind::Counter, Unit::Count, "Attempts that failed and were to be repeated");
pub(super) const STOPS: Metric = metric(
    "seaworthy_retry_stops_total",
    MetricKind::Counter,
    Unit::Count,
    "Requests whose first attempt did not succeed, counted when they ended, by reason",
);
pub(super) const BUDGET: Metric = metric(
    "seaworthy_retry_budget_tokens",
    MetricKind::Gauge,
    Unit::Count,
    "Balance of the retry budget when the policy last read it",
);
pub(super) const TIMEOUTS: Metric = metric(
    "seaworthy_timeouts_total",
    MetricKind::Counter,
    Unit::Count,
    "Calls and bodies that exceeded a time limit, by limit",
);
pub(super) const DEADLINES_EXCEEDED: Metric = metric(
    "seaworthy_deadlines_exceeded_total",
    MetricKind::Counter,
    Unit::Count,
    "Calls and bodies that ended because their deadline had passed, by how far they had come",
);
pub(super) const DEADLINE_REMAINING: Metric = metric(
    "seaworthy_deadline_remaining_seconds",
    MetricKind::Histogram,
    Unit::Seconds,
    "How much of its time a call had left when it arrived",
);
pub(super) const FALLBACKS: Metric = metric(
    "seaworthy_fallbacks_total",
    MetricKind::Counter,
    Unit::Count,
    "Calls that failed and were answered by the fallback",
);
pub(super) const PHASE: Metric = metric(
    "seaworthy_phase",
    MetricKind::Gauge,
    Unit::Count,
    "1 for the phase that the service is in, 0 for the others",
);
pub(super) const IN_FLIGHT: Metric = metric(
    "seaworthy_requests_in_flight",
    MetricKind::Gauge,
    Unit::Count,
    "Requests that the service let in and that have not ended",
);
pub(super) const CHECK_STATE: Metric = metric(
    "seaworthy_check_state",
    MetricKind::Gauge,
    Unit::Count,
    "1 for the state that a check of the service is in, 0 for the other",
);
pub(super) const TASKS: Metric =
    metric("seaworthy_tasks", MetricKind::Gauge, Unit::Count, "Tasks of a runner that have not ended");
pub(super) const TASK_FAILURES: Metric = metric(
    "seaworthy_task_failures_total",
    MetricKind::Counter,
    Unit::Count,
    "Failed runs of a task, by cause and by whether it is run again",
);
pub(super) const STREAM_ENDS: Metric = metric(
    "seaworthy_stream_ends_total",
    MetricKind::Counter,
    Unit::Count,
    "Streams followed by a task that ended without an error",
);
pub(super) const STREAM_SKIPPED: Metric = metric(
    "seaworthy_stream_skipped_total",
    MetricKind::Counter,
    Unit::Count,
    "Events that a task could not apply and skipped",
);
pub(super) const KEYED_MAX: Metric =
    metric("seaworthy_keyed_max_handles", MetricKind::Gauge, Unit::Count, "How many handles a family may have");
pub(super) const KEYED_HANDLES: Metric =
    metric("seaworthy_keyed_handles", MetricKind::Gauge, Unit::Count, "How many handles a family has");
pub(super) const KEYED_EVICTED: Metric = metric(
    "seaworthy_keyed_evicted_total",
    MetricKind::Counter,
    Unit::Count,
    "Handles that a family evicted, by cause",
);
pub(super) const KEYED_EXHAUSTED: Metric = metric(
    "seaworthy_keyed_exhausted_total",
    MetricKind::Counter,
    Unit::Count,
    "Times that a family ran out of room for another key",
);
pub(super) const KEYED_OVERFLOWS: Metric = metric(
    "seaworthy_keyed_overflows_total",
    MetricKind::Counter,
    Unit::Count,
    "Look-ups that got the overflow handle because the family had no room",
);
pub(super) const TARGET_STATE: Metric = metric(
    "seaworthy_probe_target_state",
    MetricKind::Gauge,
    Unit::Count,
    "1 for the state that a probed target is in, 0 for the others",
);
pub(super) const PROBES: Metric =
    metric("seaworthy_probes_total", MetricKind::Counter, Unit::Count, "Probes that ended and counted, by outcome");
pub(super) const PROBE_DURATION: Metric = metric(
    "seaworthy_probe_duration_seconds",
    MetricKind::Histogram,
    Unit::Seconds,
    "How long the probes that counted took",
);

pub(super) const EXTENSION_EVENTS: Metric = metric(
    "seaworthy_extension_events_total",
    MetricKind::Counter,
    Unit::Count,
    "Events from outside this crate, by component and kind",
);

pub(super) const METRICS: &[Metric] = &[
    EXTENSION_EVENTS,
    CALLS,
    CALL_DURATION,
    BODY_DURATION,
    LATE_BREAKS,
    READY_FAILURES,
    STATE,
    TRANSITIONS,
    OPENED,
    WOULD_HAVE_OPENED,
    REJECTIONS,
    LIMIT,
    IN_USE,
    QUEUED,
    REQUESTS,
    RETRIES,
    STOPS,
    BUDGET,
    TIMEOUTS,
    DEADLINES_EXCEEDED,
    DEADLINE_REMAINING,
    FALLBACKS,
    PHASE,
    IN_FLIGHT,
    CHECK_STATE,
    TASKS,
    TASK_FAILURES,
    STREAM_ENDS,
    STREAM_SKIPPED,
    KEYED_MAX,
    KEYED_HANDLES,
    KEYED_EVICTED,
    KEYED_EXHAUSTED,
    KEYED_OVERFLOWS,
    TARGET_STATE,
    PROBES,
    PROBE_DURATION,
];
