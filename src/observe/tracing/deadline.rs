use tracing::field;

use crate::error::one_line::OneLine;
use crate::observe::event::DeadlineEvent;

pub(super) fn log(event: &DeadlineEvent<'_>) {
    match event {
        DeadlineEvent::Arrived { .. } => {}
        DeadlineEvent::Exceeded { name, stage, late, .. } => {
            let name = name.map(OneLine).map(field::display);
            tracing::debug!(target: "seaworthy::deadline", name, %stage, ?late, "deadline exceeded");
        }
        DeadlineEvent::HeaderMalformed { name, header, .. } => {
            let name = name.map(OneLine).map(field::display);
            tracing::debug!(target: "seaworthy::deadline", name, header, "malformed header ignored");
        }
    }
}
