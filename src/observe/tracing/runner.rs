use crate::error::one_line::{OneLine, OneLineDebug};
use crate::observe::event::RunnerEvent;

pub(super) fn log(event: &RunnerEvent<'_>) {
    match event {
        RunnerEvent::TaskFailed { name, error, panicked, again_in: Some(again_in) } => tracing::warn!(
            target: "seaworthy::runner",
            name = %OneLine(name), error = %OneLine(error), error_debug = %OneLineDebug(error), panicked, ?again_in,
            "task failed, running again"
        ),
        RunnerEvent::TaskFailed { name, error, panicked, again_in: None } => tracing::error!(
            target: "seaworthy::runner",
            name = %OneLine(name), error = %OneLine(error), error_debug = %OneLineDebug(error), panicked,
            "task failed"
        ),
        RunnerEvent::StreamEnded { name, again_in } => tracing::debug!(
            target: "seaworthy::runner",
            name = %OneLine(name), ?again_in,
            "stream ended, connecting again"
        ),
        RunnerEvent::EventSkipped { name, error } => tracing::error!(
            target: "seaworthy::runner",
            name = %OneLine(name), error = %OneLine(error), error_debug = %OneLineDebug(error),
            "event skipped"
        ),
        RunnerEvent::TaskStarted { .. } | RunnerEvent::TaskEnded { .. } => {}
    }
}
