use super::Event;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;
use crate::observe::interest::Interest;

/// The events of a service: its phase, its checks and the requests it lets in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum HealthEvent<'a> {
    /// A service moved on to another phase.
    #[non_exhaustive]
    PhaseChanged {
        /// The phase it left.
        from: Phase,
        /// The phase it is in now.
        to: Phase,
    },
    /// A check of a service went down or came up again, as noticed by a request or a run of the checks. A check counts
    /// as up until it is first asked.
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
        /// The check that keeps requests out, or the phase.
        reason: &'a Name,
        /// The phase of the service; if it is serving, a check keeps requests out.
        phase: Phase,
    },
    /// † A [`Health`](crate::Health) was created. The service is [`Starting`](Phase::Starting), with no checks and no
    /// requests in flight.
    #[non_exhaustive]
    Built {},
    /// † The last handle of a [`Health`](crate::Health) was dropped. Each of its checks was reported as removed before.
    #[non_exhaustive]
    Dropped {
        /// The phase the service was in.
        phase: Phase,
    },
    /// † A check was added to a service. One that replaces another is reported only if it is required and the other was
    /// not, or vice versa.
    #[non_exhaustive]
    CheckAdded {
        /// The check.
        name: &'a Name,
        /// Whether the service is out of rotation while it is down.
        required: bool,
        /// Whether it counts as up: yes, unless it replaces a check that was last noticed to be down.
        up: bool,
    },
    /// † A check was removed from a service. Nothing more is reported about it.
    #[non_exhaustive]
    CheckRemoved {
        /// The check.
        name: &'a Name,
        /// Whether the service was out of rotation while it was down.
        required: bool,
        /// Whether it was up when last noticed.
        up: bool,
    },
    /// † A service let a request in, which is now in flight.
    #[non_exhaustive]
    RequestAdmitted {},
    /// † A request that a service let in is no longer in flight. Reported once for each, however it ended.
    #[non_exhaustive]
    RequestLeft {},
}

impl HealthEvent<'_> {
    /// The interest that an observer needs to receive this event.
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
    #[inline]
    fn from(event: HealthEvent<'a>) -> Event<'a> {
        Event::Health(event)
    }
}
