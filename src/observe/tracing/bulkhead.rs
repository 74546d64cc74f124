use crate::error::one_line::OneLine;
use crate::observe::event::BulkheadEvent;

pub(super) fn log(event: &BulkheadEvent<'_>) {
    match event {
        BulkheadEvent::Rejected { name, waited, .. } => {
            tracing::debug!(target: "seaworthy::bulkhead", name = %OneLine(name), ?waited, "bulkhead rejected a call");
        }
        BulkheadEvent::Resized { .. }
        | BulkheadEvent::Acquired { .. }
        | BulkheadEvent::Queued { .. }
        | BulkheadEvent::Granted { .. }
        | BulkheadEvent::Released { .. }
        | BulkheadEvent::Left { .. } => {}
    }
}
