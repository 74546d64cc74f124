use crate::error::one_line::OneLine;
use crate::observe::event::HealthEvent;

pub(super) fn log(event: &HealthEvent<'_>) {
    match event {
        HealthEvent::PhaseChanged { from, to } => {
            tracing::info!(target: "seaworthy::health", %from, %to, "phase changed");
        }
        HealthEvent::CheckChanged { name, required, reason: Some(reason) } => {
            let (name, reason) = (OneLine(name), OneLine(reason));
            tracing::warn!(target: "seaworthy::health", %name, required, %reason, "check failed");
        }
        HealthEvent::CheckChanged { name, required, reason: None } => {
            tracing::info!(target: "seaworthy::health", name = %OneLine(name), required, "check is up again");
        }
        HealthEvent::Rejected { reason, .. } => {
            tracing::debug!(target: "seaworthy::health", reason = %OneLine(reason), "not ready, rejected a request");
        }
        HealthEvent::Built {}
        | HealthEvent::Dropped { .. }
        | HealthEvent::CheckAdded { .. }
        | HealthEvent::CheckRemoved { .. }
        | HealthEvent::RequestAdmitted {}
        | HealthEvent::RequestLeft {} => {}
    }
}
