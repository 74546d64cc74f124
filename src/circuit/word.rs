use crate::machine::circuit::{Gate, OnSuccess};
use crate::machine::report::State;

/// What a caller needs of the machine to pass without asking it, in one atomic word: the generation, whether calls are
/// timed, and the gate without its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

/// The gate as it stands in a [`Word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pass(OnSuccess),
    Ask,
    Open,
    Full,
    Shut,
    /// The word is being changed by whoever holds the lock.
    Busy,
}

const KIND: u64 = 0b111;
const MEASURES: u64 = 0b1000;
const GENERATION: u32 = 4;

impl Word {
    pub(super) fn new(generation: u64, measures: bool, kind: Kind) -> Word {
        let kind = match kind {
            Kind::Pass(OnSuccess::Nothing) => 0,
            Kind::Pass(OnSuccess::Count) => 1,
            Kind::Pass(OnSuccess::Settle) => 2,
            Kind::Ask => 3,
            Kind::Open => 4,
            Kind::Full => 5,
            Kind::Shut => 6,
            Kind::Busy => 7,
        };
        let measures = if measures { MEASURES } else { 0 };
        Word(generation << GENERATION | measures | kind)
    }

    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Word {
        Word(bits)
    }

    #[inline]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn generation(self) -> u64 {
        self.0 >> GENERATION
    }

    /// Whether everybody passes.
    #[inline]
    pub(super) const fn passes(self) -> bool {
        // The three kinds of passing are the lowest.
        self.0 & KIND <= 2
    }

    /// Whether this is the word of `generation`, calls are not timed, and a success changes nothing. This is the path of
    /// nearly every call, so it is one comparison: all of the other bits are zero then.
    #[inline]
    pub(super) const fn is_at_rest(self, generation: u64) -> bool {
        self.0 == generation << GENERATION
    }

    /// Whether somebody will want to know how long a call took.
    #[inline]
    pub(super) const fn measures(self) -> bool {
        self.0 & MEASURES != 0
    }

    #[inline]
    pub(super) const fn kind(self) -> Kind {
        match self.0 & KIND {
            0 => Kind::Pass(OnSuccess::Nothing),
            1 => Kind::Pass(OnSuccess::Count),
            2 => Kind::Pass(OnSuccess::Settle),
            3 => Kind::Ask,
            4 => Kind::Open,
            5 => Kind::Full,
            6 => Kind::Shut,
            _ => Kind::Busy,
        }
    }

    /// None while it is being changed.
    pub(super) const fn state(self) -> Option<State> {
        match self.kind() {
            Kind::Pass(_) => Some(State::Closed),
            Kind::Ask | Kind::Full => Some(State::HalfOpen),
            Kind::Open | Kind::Shut => Some(State::Open),
            Kind::Busy => None,
        }
    }
}

impl From<Gate> for Kind {
    fn from(gate: Gate) -> Kind {
        match gate {
            Gate::Pass(on_success) => Kind::Pass(on_success),
            Gate::Ask => Kind::Ask,
            Gate::Open { .. } => Kind::Open,
            Gate::Full { .. } => Kind::Full,
            Gate::Shut => Kind::Shut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in() {
        let kinds = [OnSuccess::Nothing, OnSuccess::Count, OnSuccess::Settle].map(Kind::Pass);
        for kind in kinds.into_iter().chain([Kind::Ask, Kind::Open, Kind::Full, Kind::Shut, Kind::Busy]) {
            for measures in [false, true] {
                for generation in [0, 1, (1 << 60) - 1] {
                    let word = Word::from_bits(Word::new(generation, measures, kind).bits());
                    assert_eq!((word.generation(), word.measures(), word.kind()), (generation, measures, kind));
                    assert_eq!(word.passes(), matches!(kind, Kind::Pass(_)));
                    let at_rest = kind == Kind::Pass(OnSuccess::Nothing) && !measures;
                    assert_eq!(word.is_at_rest(generation), at_rest);
                    assert!(!word.is_at_rest(generation ^ 1));
                }
            }
        }
    }
}
