use crate::error::one_line::OneLine;
use crate::machine::circuit_breaker::notice::{Counts, State};
use crate::observe::event::CircuitBreakerEvent;

pub(super) fn log(event: &CircuitBreakerEvent<'_>) {
    match event {
        CircuitBreakerEvent::Transition { name, from, to, sequence, cause, counts, .. } => {
            // The level is part of the call site, so each level has its own.
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
        CircuitBreakerEvent::Rejected { name, retry_after, .. } => {
            let name = OneLine(name);
            tracing::debug!(target: "seaworthy::circuit_breaker", %name, ?retry_after, "circuit rejected a call");
        }
        CircuitBreakerEvent::BodyBroke { name, after, bytes, .. } => {
            let name = OneLine(name);
            tracing::debug!(target: "seaworthy::circuit_breaker", %name, ?after, bytes, "response body broke off");
        }
        CircuitBreakerEvent::WouldHaveOpened { name, cause, counts, .. } => tracing::warn!(
            target: "seaworthy::circuit_breaker",
            name = %OneLine(name), %cause,
            calls = in_window(counts, counts.calls),
            failures = in_window(counts, counts.failures),
            slow = in_window(counts, counts.slow),
            consecutive_failures = counts.consecutive_failures,
            "circuit would have opened"
        ),
        CircuitBreakerEvent::Built { .. }
        | CircuitBreakerEvent::Dropped { .. }
        | CircuitBreakerEvent::Settled { .. }
        | CircuitBreakerEvent::ReadyFailed { .. } => {}
    }
}

/// Omitted from the line if there is no window, where zeros would be misleading.
fn in_window(counts: &Counts, count: u64) -> Option<u64> {
    (counts.calls > 0).then_some(count)
}
