use std::fmt::{self, Display};
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::{ExtensionEvent, ExtensionMetric, Interest, Measure, Severity};

use super::Event;

const READY: ExtensionMetric = ExtensionMetric::new("seaworthy_queue_ready", "Jobs that are due and not running");
const LATER: ExtensionMetric = ExtensionMetric::new("seaworthy_queue_later", "Jobs that are due later");
const RUNNING: ExtensionMetric = ExtensionMetric::new("seaworthy_queue_running", "Jobs that are handed out");
const DEAD: ExtensionMetric = ExtensionMetric::new("seaworthy_queue_dead", "Dead letters");
const OLDEST_READY: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_oldest_ready_seconds", "Since the oldest job that is not running was due");
const DELIVERED: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_delivered_total", "Deliveries, by the number of the attempt");
const SETTLED: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_settled_total", "Deliveries that ended, by how they did");
const LOST: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_lost_total", "Deliveries that were not the consumer's any more");
const JOB_SECONDS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_job_seconds", "How long calls took, by how the delivery ended");
const WAIT_SECONDS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_wait_seconds", "From when a job was due to the beginning of its call");
const GATE_CLOSED: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_gate_closed_seconds", "How long gates left no room");
const STORE_ERRORS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_queue_store_errors_total", "Requests that the store did not answer, by class");

impl Event<'_> {
    fn queue(&self) -> &Name {
        match self {
            Event::Received { queue, .. }
            | Event::Started { queue, .. }
            | Event::Settled { queue, .. }
            | Event::Lost { queue, .. }
            | Event::Died { queue, .. }
            | Event::GateClosed { queue }
            | Event::GateOpened { queue, .. }
            | Event::StoreDown { queue, .. }
            | Event::StillDown { queue, .. }
            | Event::StoreUp { queue, .. }
            | Event::Stuck { queue, .. }
            | Event::Measured { queue, .. }
            | Event::Redriven { queue, .. }
            | Event::Swept { queue, .. } => queue,
        }
    }
}

impl ExtensionEvent for Event<'_> {
    fn component(&self) -> &'static str {
        "queue"
    }

    fn name(&self) -> Option<&Name> {
        Some(self.queue())
    }

    fn kind(&self) -> &'static str {
        match self {
            Event::Received { .. } => "received",
            Event::Started { .. } => "started",
            Event::Settled { .. } => "settled",
            Event::Lost { .. } => "lost",
            Event::Died { .. } => "died",
            Event::GateClosed { .. } => "gate_closed",
            Event::GateOpened { .. } => "gate_opened",
            Event::StoreDown { .. } => "store_down",
            Event::StillDown { .. } => "still_down",
            Event::StoreUp { .. } => "store_up",
            Event::Stuck { .. } => "stuck",
            Event::Measured { .. } => "measured",
            Event::Redriven { .. } => "redriven",
            Event::Swept { .. } => "swept",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Received { .. }
            | Event::Started { .. }
            | Event::Settled { .. }
            | Event::StillDown { .. }
            | Event::Measured { .. } => Severity::Debug,
            Event::GateClosed { .. }
            | Event::GateOpened { .. }
            | Event::StoreUp { .. }
            | Event::Redriven { .. }
            | Event::Swept { .. } => Severity::Info,
            Event::Lost { .. } | Event::StoreDown { .. } => Severity::Warn,
            Event::Died { .. } | Event::Stuck { .. } => Severity::Error,
        }
    }

    fn interest(&self) -> Interest {
        match self {
            Event::Received { .. } | Event::Started { .. } | Event::Settled { .. } | Event::StillDown { .. } => {
                Interest::Calls
            }
            _ => Interest::Changes,
        }
    }

    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn Display)) {
        match self {
            Event::Received { jobs, .. } => field("jobs", jobs),
            Event::Started { id, attempt, waited, .. } => {
                field("id", id);
                field("attempt", attempt);
                field("waited", &Span(*waited));
            }
            Event::Settled { id, outcome, elapsed, reason, .. } => {
                field("id", id);
                field("outcome", &outcome.as_str());
                field("elapsed", &Span(*elapsed));
                field("reason", reason);
            }
            Event::Lost { id, .. } | Event::Redriven { id, .. } => field("id", id),
            Event::Died { id, reason, .. } => {
                field("id", id);
                field("reason", reason);
            }
            Event::GateClosed { .. } => {}
            Event::GateOpened { closed, .. } => field("closed", &Span(*closed)),
            Event::StoreDown { class, .. } => field("class", class),
            Event::StillDown { class, down, .. } => {
                field("class", class);
                field("down", &Span(*down));
            }
            Event::StoreUp { down, .. } => field("down", &Span(*down)),
            Event::Stuck { id, since, .. } => {
                field("id", id);
                field("since", &Span(*since));
            }
            Event::Measured { depth, .. } => {
                field("ready", &depth.ready);
                field("later", &depth.later);
                field("running", &depth.running);
                field("dead", &depth.dead);
                field("oldest_ready", &Span(depth.oldest_ready));
            }
            Event::Swept { jobs, .. } => field("jobs", jobs),
        }
    }

    fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
        let queue = ("queue", self.queue().as_str());
        match self {
            Event::Started { attempt, waited, .. } => {
                let attempt = match attempt {
                    0 | 1 => "1",
                    2 => "2",
                    _ => "3+",
                };
                measure(DELIVERED.count(&[queue, ("attempt", attempt)], 1));
                measure(WAIT_SECONDS.time(&[queue], *waited));
            }
            Event::Settled { outcome, elapsed, .. } => {
                let labels = [queue, ("outcome", outcome.as_str())];
                measure(SETTLED.count(&labels, 1));
                measure(JOB_SECONDS.time(&labels, *elapsed));
            }
            Event::Lost { .. } => measure(LOST.count(&[queue], 1)),
            Event::GateOpened { closed, .. } => measure(GATE_CLOSED.time(&[queue], *closed)),
            Event::StoreDown { class, .. } | Event::StillDown { class, .. } => {
                measure(STORE_ERRORS.count(&[queue, ("class", class.as_str())], 1));
            }
            Event::Measured { depth, .. } => {
                for (metric, jobs) in
                    [(&READY, depth.ready), (&LATER, depth.later), (&RUNNING, depth.running), (&DEAD, depth.dead)]
                {
                    measure(metric.level(&[queue], jobs as f64));
                }
                measure(OLDEST_READY.level(&[queue], depth.oldest_ready.as_secs_f64()));
            }
            _ => {}
        }
    }
}

struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
