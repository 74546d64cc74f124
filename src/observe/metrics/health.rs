use super::registry::{NamedSeries, by_name, service};
use super::series::{RejectionReason, Series};
use crate::machine::lifecycle::phase::Phase;
use crate::observe::event::HealthEvent;

/// Counts the events of a service.
pub(super) fn count(event: &HealthEvent<'_>) {
    let service = service();
    match *event {
        HealthEvent::Built {} => built(service),
        HealthEvent::Dropped { phase } => service.add(Series::Phase(phase), -1),
        HealthEvent::PhaseChanged { from, to } => {
            service.add(Series::Phase(from), -1);
            service.add(Series::Phase(to), 1);
        }
        HealthEvent::RequestAdmitted {} => service.add(Series::RequestsInFlight, 1),
        HealthEvent::RequestLeft {} => service.add(Series::RequestsInFlight, -1),
        HealthEvent::CheckAdded { name, required, up } => check_added(&by_name(name), required, up),
        HealthEvent::CheckRemoved { name, required, up } => by_name(name).add(Series::CheckState { required, up }, -1),
        HealthEvent::CheckChanged { name, required, reason } => {
            let (named, up) = (by_name(name), reason.is_none());
            named.add(Series::CheckState { required, up: !up }, -1);
            named.add(Series::CheckState { required, up }, 1);
        }
        HealthEvent::Rejected { reason, phase } => match phase {
            Phase::Starting => service.count(Series::Rejections(RejectionReason::Starting), 1),
            Phase::Serving => by_name(reason).count(Series::Rejections(RejectionReason::CheckDown), 1),
            Phase::Draining | Phase::Stopped => service.count(Series::Rejections(RejectionReason::ShuttingDown), 1),
        },
    }
}

fn built(service: &NamedSeries) {
    for phase in Phase::ALL {
        service.add(Series::Phase(phase), i64::from(phase == Phase::Starting));
    }
    service.add(Series::RequestsInFlight, 0);
    service.count(Series::Rejections(RejectionReason::Starting), 0);
    service.count(Series::Rejections(RejectionReason::ShuttingDown), 0);
}

fn check_added(named: &NamedSeries, required: bool, up: bool) {
    for state in [true, false] {
        named.add(Series::CheckState { required, up: state }, i64::from(state == up));
    }
    if required {
        named.count(Series::Rejections(RejectionReason::CheckDown), 0);
    }
}
