use tracing::field;

use crate::error::one_line::OneLine;
use crate::observe::event::DeadlineEvent;

pub(super) fn log(event: &DeadlineEvent<'_>) {
    let DeadlineEvent::Exceeded { name, stage, late, .. } = event else { return };
    let name = name.map(OneLine).map(field::display);
    tracing::debug!(target: "seaworthy::deadline", name, %stage, ?late, "deadline exceeded");
}
