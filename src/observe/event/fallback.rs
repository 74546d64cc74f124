use super::{ErrorRef, Event};
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// What happens to a fallback and the calls that it answers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FallbackEvent<'a> {
    /// A call failed and is answered in another way. Told before that begins.
    #[non_exhaustive]
    FellBack {
        /// The fallback.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// What the call failed with.
        error: ErrorRef<'a>,
    },
    /// † A fallback was built.
    #[non_exhaustive]
    Built {
        /// The fallback.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
}

impl FallbackEvent<'_> {
    /// What an observer has to be interested in to be told.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            FallbackEvent::FellBack { .. } => Interest::Changes,
            FallbackEvent::Built { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<FallbackEvent<'a>> for Event<'a> {
    fn from(event: FallbackEvent<'a>) -> Event<'a> {
        Event::Fallback(event)
    }
}
