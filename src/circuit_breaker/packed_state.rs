use crate::machine::circuit_breaker::machine::{Gate, OnSuccess};
use crate::machine::circuit_breaker::notice::State;

/// What a caller needs to know to pass without asking the machine, in one atomic word: the generation, whether calls
/// are timed, and the gate without its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackedState(u64);

/// The gate as encoded in a [`PackedState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateKind {
    Pass(OnSuccess),
    Ask,
    Open,
    Full,
    Shut,
    /// The word is being changed by the thread that holds the lock.
    Busy,
}

const KIND: u64 = 0b111;
const MEASURES: u64 = 0b1000;
const GENERATION: u32 = 4;

impl PackedState {
    pub(super) fn new(generation: u64, measures: bool, kind: StateKind) -> PackedState {
        let kind = match kind {
            StateKind::Pass(OnSuccess::Nothing) => 0,
            StateKind::Pass(OnSuccess::Count) => 1,
            StateKind::Pass(OnSuccess::Settle) => 2,
            StateKind::Ask => 3,
            StateKind::Open => 4,
            StateKind::Full => 5,
            StateKind::Shut => 6,
            StateKind::Busy => 7,
        };
        let measures = if measures { MEASURES } else { 0 };
        PackedState(generation << GENERATION | measures | kind)
    }

    #[inline]
    pub(super) const fn from_bits(bits: u64) -> PackedState {
        PackedState(bits)
    }

    #[inline]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn generation(self) -> u64 {
        self.0 >> GENERATION
    }

    /// Whether every call passes.
    #[inline]
    pub(super) const fn passes(self) -> bool {
        // The three kinds of pass have the lowest numbers.
        self.0 & KIND <= 2
    }

    /// Whether this is the word of `generation`, calls are not timed, and a success changes nothing. Nearly every call
    /// takes this path, so it is one comparison: all other bits are then zero.
    #[inline]
    pub(super) const fn is_at_rest(self, generation: u64) -> bool {
        self.0 == generation << GENERATION
    }

    /// Whether the duration of a call matters to anyone.
    #[inline]
    pub(super) const fn measures(self) -> bool {
        self.0 & MEASURES != 0
    }

    #[inline]
    pub(super) const fn kind(self) -> StateKind {
        match self.0 & KIND {
            0 => StateKind::Pass(OnSuccess::Nothing),
            1 => StateKind::Pass(OnSuccess::Count),
            2 => StateKind::Pass(OnSuccess::Settle),
            3 => StateKind::Ask,
            4 => StateKind::Open,
            5 => StateKind::Full,
            6 => StateKind::Shut,
            _ => StateKind::Busy,
        }
    }

    /// `None` while it is being changed.
    pub(super) const fn state(self) -> Option<State> {
        match self.kind() {
            StateKind::Pass(_) => Some(State::Closed),
            StateKind::Ask | StateKind::Full => Some(State::HalfOpen),
            StateKind::Open | StateKind::Shut => Some(State::Open),
            StateKind::Busy => None,
        }
    }
}

impl From<Gate> for StateKind {
    fn from(gate: Gate) -> StateKind {
        match gate {
            Gate::Pass(on_success) => StateKind::Pass(on_success),
            Gate::Ask { .. } => StateKind::Ask,
            Gate::Open { .. } => StateKind::Open,
            Gate::Full { .. } => StateKind::Full,
            Gate::Shut => StateKind::Shut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in() {
        let kinds = [OnSuccess::Nothing, OnSuccess::Count, OnSuccess::Settle].map(StateKind::Pass);
        for kind in kinds.into_iter().chain([
            StateKind::Ask,
            StateKind::Open,
            StateKind::Full,
            StateKind::Shut,
            StateKind::Busy,
        ]) {
            for measures in [false, true] {
                for generation in [0, 1, (1 << 60) - 1] {
                    let word = PackedState::from_bits(PackedState::new(generation, measures, kind).bits());
                    assert_eq!((word.generation(), word.measures(), word.kind()), (generation, measures, kind));
                    assert_eq!(word.passes(), matches!(kind, StateKind::Pass(_)));
                    let at_rest = kind == StateKind::Pass(OnSuccess::Nothing) && !measures;
                    assert_eq!(word.is_at_rest(generation), at_rest);
                    assert!(!word.is_at_rest(generation ^ 1));
                }
            }
        }
    }
}
