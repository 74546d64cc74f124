use std::time::Duration;

use super::Event;
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::name::Name;
use crate::observe::interest::Interest;

/// What happens to the targets of a prober.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ProbeEvent<'a> {
    /// What is known of a probed target changed. Told exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    Transition {
        /// The target.
        name: &'a Name,
        /// The state that it left.
        from: ProbeState,
        /// The state that it is in; never the same.
        to: ProbeState,
        /// Grows with every change of any target of this prober.
        sequence: u64,
        /// Successes in a row up to now.
        successes: u32,
        /// Failures in a row up to now.
        failures: u32,
        /// Why the last probe failed, if it did.
        error: Option<&'a str>,
    },
    /// † A prober has another target.
    #[non_exhaustive]
    TargetAdded {
        /// The target.
        name: &'a Name,
        /// The state that it is in.
        state: ProbeState,
    },
    /// † A prober has a target no more: it was removed, or the last handle of the prober was dropped.
    #[non_exhaustive]
    TargetRemoved {
        /// The target.
        name: &'a Name,
        /// The state that it was in.
        state: ProbeState,
    },
    /// † A probe ended and counts. Not told of one that was given up because the target, its policy or the prober
    /// changed.
    #[non_exhaustive]
    Probed {
        /// The target.
        name: &'a Name,
        /// How it went.
        outcome: ProbeOutcome,
        /// Why it failed, if it did.
        error: Option<&'a str>,
        /// From the moment at which it was due and there was room for it.
        elapsed: Duration,
    },
}

impl ProbeEvent<'_> {
    /// What an observer has to be interested in to be told.
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
    fn from(event: ProbeEvent<'a>) -> Event<'a> {
        Event::Probe(event)
    }
}
