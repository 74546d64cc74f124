use tracing::field;

use crate::error::one_line::{OneLine, OneLineDebug};
use crate::machine::retry::attempts::StopReason;
use crate::observe::event::RetryEvent;

pub(super) fn log(event: &RetryEvent<'_>) {
    match event {
        RetryEvent::Retried { name, attempt, delay, error, .. } => tracing::debug!(
            target: "seaworthy::retry",
            name = %OneLine(name), attempt, ?delay,
            error = error.map(OneLine).map(field::display),
            error_debug = error.map(OneLineDebug).map(field::display),
            "attempt failed, retrying"
        ),
        // The call succeeded in the end.
        RetryEvent::Stopped { reason: StopReason::Succeeded, .. } => {}
        RetryEvent::Stopped { name, attempts, reason, error, .. } => tracing::debug!(
            target: "seaworthy::retry",
            name = %OneLine(name), attempts, %reason,
            error = error.map(OneLine).map(field::display),
            error_debug = error.map(OneLineDebug).map(field::display),
            "attempt failed, not retrying"
        ),
        RetryEvent::Built { .. } | RetryEvent::Began { .. } => {}
    }
}
