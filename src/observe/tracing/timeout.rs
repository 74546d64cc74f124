use tracing::field;

use crate::error::one_line::OneLine;
use crate::observe::event::TimeoutEvent;

pub(super) fn log(event: &TimeoutEvent<'_>) {
    let TimeoutEvent::TimedOut { name, limit, after, .. } = event;
    let name = name.map(OneLine).map(field::display);
    tracing::debug!(target: "seaworthy::timeout", name, %limit, ?after, "timed out");
}
