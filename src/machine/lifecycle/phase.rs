use std::fmt;

/// Where a service is in its life. It only ever moves forward; any phase may be skipped.
///
/// ```text
/// Starting ──► Serving ──► Draining ──► Stopped
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Not ready yet: start-up steps are still to be done.
    Starting,
    /// Takes requests.
    Serving,
    /// Announces that it accepts no more requests, and finishes those it has.
    Draining,
    /// Has finished.
    Stopped,
}

impl Phase {
    pub(crate) const ALL: [Phase; 4] = [Phase::Starting, Phase::Serving, Phase::Draining, Phase::Stopped];

    /// Whether requests are taken in this phase, by a service that takes them from `Serving` up to and including
    /// `last`.
    pub(crate) fn takes_requests(self, last: Phase) -> bool {
        (Phase::Serving..=last).contains(&self)
    }

    /// As two bits.
    pub(crate) fn bits(self) -> u64 {
        match self {
            Phase::Starting => 0,
            Phase::Serving => 1,
            Phase::Draining => 2,
            Phase::Stopped => 3,
        }
    }

    /// From the two lowest bits; the others are ignored.
    pub(crate) fn from_bits(bits: u64) -> Phase {
        Phase::ALL[(bits & 3) as usize]
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Starting => "starting",
            Phase::Serving => "serving",
            Phase::Draining => "draining",
            Phase::Stopped => "stopped",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_a_phase_are_its_place_in_the_order() {
        for (place, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!((phase.bits(), Phase::from_bits(phase.bits() | 4)), (place as u64, phase));
        }
        assert!(Phase::ALL.is_sorted());
    }
}
