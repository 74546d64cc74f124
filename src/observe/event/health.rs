use super::Event;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;
use crate::observe::interest::Interest;

/// What happens to a service: its phase, its checks and the requests that it lets in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum HealthEvent<'a> {
    /// A service moved on to another phase of its life.
    #[non_exhaustive]
    PhaseChanged {
        /// The phase that it left.
        from: Phase,
        /// The phase that it is in.
        to: Phase,
    },
    /// A check of a service went down or up again, as noticed by a request or a run of the checks. A check is taken for
    /// up before it is first asked.
    #[non_exhaustive]
    CheckChanged {
        /// The check.
        name: &'a Name,
        /// Whether the service is out of rotation while it is down.
        required: bool,
        /// Why it is down; absent if it is up.
        reason: Option<&'a Name>,
    },
    /// A service that is not ready rejected a request.
    #[non_exhaustive]
    Rejected {
        /// The check that is in the way, or the phase.
        reason: &'a Name,
        /// Where the service is in its life; if it is serving, a check is in the way.
        phase: Phase,
    },
    /// † A [`Health`](crate::Health) was made. The service is [`Starting`](Phase::Starting), with no check and no
    /// request in flight.
    #[non_exhaustive]
    Built {},
    /// † The last handle of a [`Health`](crate::Health) was dropped. Each check that it had was told as removed before.
    #[non_exhaustive]
    Dropped {
        /// The phase that the service was in.
        phase: Phase,
    },
    /// † A service has another check. One that takes the place of another is told only if it is required and the other
    /// was not, or the other way round.
    #[non_exhaustive]
    CheckAdded {
        /// The check.
        name: &'a Name,
        /// Whether the service is out of rotation while it is down.
        required: bool,
        /// What it is taken for: up, or what the check was noticed to be whose place it takes.
        up: bool,
    },
    /// † A service has a check no more. After this, nothing is told of it.
    #[non_exhaustive]
    CheckRemoved {
        /// The check.
        name: &'a Name,
        /// Whether the service was out of rotation while it was down.
        required: bool,
        /// Whether it was up, as noticed last.
        up: bool,
    },
    /// † A service let a request in, which is in flight from now on.
    #[non_exhaustive]
    RequestAdmitted {},
    /// † A request that a service let in is not in flight any more. Told once for each of them, however it ended.
    #[non_exhaustive]
    RequestLeft {},
}

impl HealthEvent<'_> {
    /// What an observer has to be interested in to be told.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            HealthEvent::PhaseChanged { .. } | HealthEvent::CheckChanged { .. } | HealthEvent::Rejected { .. } => {
                Interest::Changes
            }
            HealthEvent::Built { .. }
            | HealthEvent::Dropped { .. }
            | HealthEvent::CheckAdded { .. }
            | HealthEvent::CheckRemoved { .. }
            | HealthEvent::RequestAdmitted { .. }
            | HealthEvent::RequestLeft { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<HealthEvent<'a>> for Event<'a> {
    fn from(event: HealthEvent<'a>) -> Event<'a> {
        Event::Health(event)
    }
}
