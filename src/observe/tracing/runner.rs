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
        RunnerEvent::TaskStarted { .. } | RunnerEvent::TaskEnded { .. } => {}
    }
}
