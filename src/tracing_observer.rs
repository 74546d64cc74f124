use crate::circuit::Counts;
use crate::{Event, Observer};

/// Writes events with `tracing`: changes of state as `info`, rejections as `debug`, nothing for a call that succeeds.
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
/// The targets and their fields: `seaworthy::circuit` has `name`, `from`, `to`, `cause`, `sequence`, the counts (those of
/// a window only where there is something in it), and `retry_after`; `seaworthy::bulkhead` has `name` and `waited`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::CircuitTransition { name, from, to, sequence, cause, counts } => tracing::info!(
                target: "seaworthy::circuit",
                %name, %from, %to, sequence, %cause,
                calls = in_window(counts, counts.calls),
                failures = in_window(counts, counts.failures),
                slow = in_window(counts, counts.slow),
                consecutive_failures = counts.consecutive_failures,
                "circuit changed state"
            ),
            Event::CircuitRejected { name, retry_after } => {
                tracing::debug!(target: "seaworthy::circuit", %name, ?retry_after, "circuit rejected a call");
            }
            Event::CircuitWouldHaveOpened { name, cause, counts } => tracing::info!(
                target: "seaworthy::circuit",
                %name, %cause,
                calls = in_window(counts, counts.calls),
                failures = in_window(counts, counts.failures),
                slow = in_window(counts, counts.slow),
                consecutive_failures = counts.consecutive_failures,
                "circuit would have opened"
            ),
            Event::BulkheadRejected { name, waited } => {
                tracing::debug!(target: "seaworthy::bulkhead", %name, ?waited, "bulkhead rejected a call");
            }
        }
    }
}

/// Left out of the line where there is no window, so that nobody wonders about its zeros.
fn in_window(counts: &Counts, count: u64) -> Option<u64> {
    (counts.calls > 0).then_some(count)
}
