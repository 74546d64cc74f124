use std::time::Duration;

use super::Event;
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::name::Name;
use crate::observe::interest::Interest;

/// The events of a prober and its targets.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ProbeEvent<'a> {
    /// A target's state changed. Reported exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    Transition {
        /// The target.
        name: &'a Name,
        /// The state it left.
        from: ProbeState,
        /// The state it is in now; never the same as `from`.
        to: ProbeState,
        /// Grows with every change of any target of this prober.
        sequence: u64,
        /// Successes in a row so far.
        successes: u32,
        /// Failures in a row so far.
        failures: u32,
        /// Why the last probe failed, if it did.
        error: Option<&'a str>,
    },
    /// † A target was added to a prober.
    #[non_exhaustive]
    TargetAdded {
        /// The target.
        name: &'a Name,
        /// The state it is in.
        state: ProbeState,
    },
    /// † A prober lost a target: it was removed, or the last handle of the prober was dropped.
    #[non_exhaustive]
    TargetRemoved {
        /// The target.
        name: &'a Name,
        /// The state it was in.
        state: ProbeState,
    },
    /// † A probe ended and counts. Not reported for one that was given up because the target, its policy or the prober
    /// changed.
    #[non_exhaustive]
    Probed {
        /// The target.
        name: &'a Name,
        /// How it went.
        outcome: ProbeOutcome,
        /// Why it failed, if it did.
        error: Option<&'a str>,
        /// The time since it was due and there was room for it.
        elapsed: Duration,
    },
}

impl ProbeEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            ProbeEvent::Transition { .. } => Interest::Changes,
            ProbeEvent::TargetAdded { .. } | ProbeEvent::TargetRemoved { .. } | ProbeEvent::Probed { .. } => {
                Interest::Calls
            }
        }
    }
}

impl<'a> From<ProbeEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: ProbeEvent<'a>) -> Event<'a> {
        Event::Probe(event)
    }
}
