use crate::error::one_line::{OneLine, OneLineDebug};
use crate::observe::event::FallbackEvent;

pub(super) fn log(event: &FallbackEvent<'_>) {
    match event {
        FallbackEvent::FellBack { name, error, .. } => {
            let (name, error_debug, error) = (OneLine(name), OneLineDebug(error), OneLine(error));
            tracing::debug!(target: "seaworthy::fallback", %name, %error, %error_debug, "fell back");
        }
        FallbackEvent::Built { .. } => {}
    }
}
