use super::registry::{add, count};
use super::series::{Reason, Series};
use crate::{Event, Name, Phase};

/// What happens to a service.
pub(super) fn on_event(event: &Event<'_>) {
    // It has no name, and making an empty one costs nothing.
    let service = &Name::from("");
    match *event {
        Event::HealthBuilt {} => built(service),
        Event::HealthDropped { phase } => add(service, Series::Phase(phase), -1),
        Event::PhaseChanged { from, to } => {
            add(service, Series::Phase(from), -1);
            add(service, Series::Phase(to), 1);
        }
        Event::RequestAdmitted {} => add(service, Series::RequestsInFlight, 1),
        Event::RequestLeft {} => add(service, Series::RequestsInFlight, -1),
        Event::CheckAdded { name, required, up } => check_added(name, required, up),
        Event::CheckRemoved { name, required, up } => add(name, Series::CheckState { required, up }, -1),
        Event::CheckChanged { name, required, reason } => {
            let up = reason.is_none();
            add(name, Series::CheckState { required, up: !up }, -1);
            add(name, Series::CheckState { required, up }, 1);
        }
        Event::ReadinessRejected { reason, phase } => match phase {
            Phase::Starting => count(service, Series::Rejections(Reason::Starting), 1),
            Phase::Serving => count(reason, Series::Rejections(Reason::CheckDown), 1),
            Phase::Draining | Phase::Stopped => count(service, Series::Rejections(Reason::ShuttingDown), 1),
        },
        _ => {}
    }
}

fn built(service: &Name) {
    for phase in Phase::ALL {
        add(service, Series::Phase(phase), i64::from(phase == Phase::Starting));
    }
    add(service, Series::RequestsInFlight, 0);
    count(service, Series::Rejections(Reason::Starting), 0);
    count(service, Series::Rejections(Reason::ShuttingDown), 0);
}

fn check_added(name: &Name, required: bool, up: bool) {
    for state in [true, false] {
        add(name, Series::CheckState { required, up: state }, i64::from(state == up));
    }
    if required {
        count(name, Series::Rejections(Reason::CheckDown), 0);
    }
}
