use tracing::field;

use crate::circuit_breaker::{Counts, State};
use crate::error::one_line::{OneLine, OneLineDebug};
use crate::machine::retry::attempts::StopReason;
use crate::observe::event::Event;
use crate::observe::observer::Observer;
#[cfg(feature = "prober")]
use crate::prober::ProbeState;

/// Writes events with `tracing`: what goes down as `warn` (a circuit that opens, or would, a check, a target), other
/// changes of state as `info`, rejections and failed attempts as `debug`, failed tasks as `warn` or, where they are not
/// run again, `error`, and nothing for a call that succeeds.
///
/// What comes from outside (names, keys, errors, reasons) is written with control characters, separators of lines and
/// marks of direction escaped, so that no text makes a second line.
///
/// It is what a handle uses unless it is given another observer. One of your own can pass events on to it:
///
/// ```
/// use seaworthy::{Event, Observer, TracingObserver};
///
/// struct Both;
///
/// impl Observer for Both {
///     fn on_event(&self, event: &Event<'_>) {
///         TracingObserver.on_event(event);
///         // … and count it.
///     }
/// }
/// ```
///
/// | target | fields |
/// |---|---|
/// | `seaworthy::circuit_breaker` | `name`, `from`, `to`, `cause`, `sequence`, the counts (a window's only where there is something in it), `retry_after` |
/// | `seaworthy::health` | `from` and `to`; or `name`, `required` and `reason`, as a warning; or `reason` |
/// | `seaworthy::bulkhead` | `name` and `waited` |
/// | `seaworthy::retry` | `name`, `attempt` and `delay`, or `attempts` and `reason`; `error` and `error_debug`, the error's `Display` and `Debug` |
/// | `seaworthy::prober` | `name`, `from`, `to`, `sequence`, `success_threshold` and `failures` in a row, `error` |
/// | `seaworthy::timeout` | `name` if there is one, `limit`, `after` |
/// | `seaworthy::runner` | `name`, `error`, `error_debug`, `panicked`, `again_in` |
/// | `seaworthy::keyed` | `name`, `max`; a `warn`, because calls go unguarded |
/// | `seaworthy::fallback` | `name`, `error` and `error_debug` |
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::CircuitTransition { name, from, to, sequence, cause, counts, .. } => {
                // A level is part of a call site, so there is one for each.
                macro_rules! changed {
                    ($level:ident) => {
                        tracing::$level!(
                            target: "seaworthy::circuit_breaker",
                            name = %OneLine(name), %from, %to, sequence, %cause,
                            calls = in_window(counts, counts.calls),
                            failures = in_window(counts, counts.failures),
                            slow = in_window(counts, counts.slow),
                            consecutive_failures = counts.consecutive_failures,
                            "circuit changed state"
                        )
                    };
                }
                match to {
                    State::Open => changed!(warn),
                    State::HalfOpen | State::Closed => changed!(info),
                }
            }
            Event::CircuitRejected { name, retry_after, .. } => {
                let name = OneLine(name);
                tracing::debug!(target: "seaworthy::circuit_breaker", %name, ?retry_after, "circuit rejected a call");
            }
            Event::CircuitWouldHaveOpened { name, cause, counts, .. } => tracing::warn!(
                target: "seaworthy::circuit_breaker",
                name = %OneLine(name), %cause,
                calls = in_window(counts, counts.calls),
                failures = in_window(counts, counts.failures),
                slow = in_window(counts, counts.slow),
                consecutive_failures = counts.consecutive_failures,
                "circuit would have opened"
            ),
            Event::PhaseChanged { from, to } => {
                tracing::info!(target: "seaworthy::health", %from, %to, "phase changed");
            }
            Event::CheckChanged { name, required, reason: Some(reason) } => {
                let (name, reason) = (OneLine(name), OneLine(reason));
                tracing::warn!(target: "seaworthy::health", %name, required, %reason, "check failed");
            }
            Event::CheckChanged { name, required, reason: None } => {
                tracing::info!(target: "seaworthy::health", name = %OneLine(name), required, "check is up again");
            }
            Event::ReadinessRejected { reason, .. } => {
                tracing::debug!(target: "seaworthy::health", reason = %OneLine(reason), "not ready, rejected a request");
            }
            Event::BulkheadRejected { name, waited, .. } => {
                tracing::debug!(target: "seaworthy::bulkhead", name = %OneLine(name), ?waited, "bulkhead rejected a call");
            }
            Event::TimedOut { name, limit, after, .. } => {
                let name = name.map(OneLine).map(field::display);
                tracing::debug!(target: "seaworthy::timeout", name, %limit, ?after, "timed out");
            }
            Event::Retried { name, attempt, delay, error, .. } => tracing::debug!(
                target: "seaworthy::retry",
                name = %OneLine(name), attempt, ?delay,
                error = error.map(OneLine).map(field::display),
                error_debug = error.map(OneLineDebug).map(field::display),
                "attempt failed, retrying"
            ),
            // The call went well in the end.
            Event::RetryStopped { reason: StopReason::Succeeded, .. } => {}
            Event::RetryStopped { name, attempts, reason, error, .. } => tracing::debug!(
                target: "seaworthy::retry",
                name = %OneLine(name), attempts, %reason,
                error = error.map(OneLine).map(field::display),
                error_debug = error.map(OneLineDebug).map(field::display),
                "attempt failed, not retrying"
            ),
            Event::TaskFailed { name, error, panicked, again_in: Some(again_in) } => tracing::warn!(
                target: "seaworthy::runner",
                name = %OneLine(name), error = %OneLine(error), error_debug = %OneLineDebug(error), panicked, ?again_in,
                "task failed, running again"
            ),
            Event::TaskFailed { name, error, panicked, again_in: None } => tracing::error!(
                target: "seaworthy::runner",
                name = %OneLine(name), error = %OneLine(error), error_debug = %OneLineDebug(error), panicked,
                "task failed"
            ),
            #[cfg(feature = "prober")]
            Event::ProbeChanged { name, from, to, sequence, successes, failures, error } => {
                macro_rules! changed {
                    ($level:ident) => {
                        tracing::$level!(
                            target: "seaworthy::prober",
                            name = %OneLine(name), %from, %to, sequence, successes, failures,
                            error = error.map(OneLine).map(field::display),
                            "target changed state"
                        )
                    };
                }
                match to {
                    ProbeState::Unhealthy => changed!(warn),
                    _ => changed!(info),
                }
            }
            // What every call does is for counting.
            Event::CircuitBuilt { .. }
            | Event::CircuitDropped { .. }
            | Event::CircuitSettled { .. }
            | Event::CircuitReadyFailed { .. }
            | Event::BulkheadResized { .. }
            | Event::BulkheadMoved { .. }
            | Event::RetryBuilt { .. }
            | Event::RetryBegan { .. }
            | Event::HealthBuilt { .. }
            | Event::HealthDropped { .. }
            | Event::CheckAdded { .. }
            | Event::CheckRemoved { .. }
            | Event::RequestAdmitted { .. }
            | Event::RequestLeft { .. }
            | Event::TaskStarted { .. }
            | Event::TaskEnded { .. }
            | Event::KeyedBuilt { .. }
            | Event::KeyedDropped { .. }
            | Event::KeyAdded { .. }
            | Event::KeysForgotten { .. }
            | Event::KeyOverflowed { .. }
            | Event::FallbackBuilt { .. } => {}
            #[cfg(feature = "prober")]
            Event::TargetAdded { .. } | Event::TargetRemoved { .. } | Event::Probed { .. } => {}
            Event::KeysExhausted { name, max, .. } => {
                tracing::warn!(target: "seaworthy::keyed", name = %OneLine(name), max, "no room for another key");
            }
            Event::FellBack { name, error, .. } => {
                let (name, error_debug, error) = (OneLine(name), OneLineDebug(error), OneLine(error));
                tracing::debug!(target: "seaworthy::fallback", %name, %error, %error_debug, "fell back");
            }
        }
    }
}

/// Left out of the line where there is no window, so that nobody wonders about its zeros.
fn in_window(counts: &Counts, count: u64) -> Option<u64> {
    (counts.calls > 0).then_some(count)
}
