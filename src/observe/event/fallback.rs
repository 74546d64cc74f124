use super::{ErrorRef, Event};
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of a fallback and the calls it answers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FallbackEvent<'a> {
    /// A call failed and is answered by the fallback. Reported before the fallback begins.
    #[non_exhaustive]
    FellBack {
        /// The fallback.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The error of the call.
        error: ErrorRef<'a>,
    },
    /// † A fallback was built.
    #[non_exhaustive]
    Built {
        /// The fallback.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
}

impl FallbackEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            FallbackEvent::FellBack { .. } => Interest::Changes,
            FallbackEvent::Built { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<FallbackEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: FallbackEvent<'a>) -> Event<'a> {
        Event::Fallback(event)
    }
}
