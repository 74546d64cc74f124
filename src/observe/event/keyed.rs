use super::Event;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// What happens to a family of handles.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum KeyedEvent<'a> {
    /// There is no room for the handle of another key, and none of those that were looked at can be spared. Told once,
    /// until there is room again.
    #[non_exhaustive]
    Exhausted {
        /// The family of handles.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// † A family of handles was built, and is empty.
    #[non_exhaustive]
    Built {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// † The last clone of a family of handles was dropped, and the family forgets all of them.
    #[non_exhaustive]
    Dropped {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it might have had.
        max: u32,
        /// How many it had.
        handles: u64,
    },
    /// † A handle was made for another key.
    #[non_exhaustive]
    Added {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † The handles of some keys were forgotten.
    #[non_exhaustive]
    Evicted {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many.
        count: u64,
        /// Why.
        cause: EvictionCause,
    },
    /// † There was no room for the handle of a key, and the overflow was given out.
    #[non_exhaustive]
    Overflowed {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
}

impl KeyedEvent<'_> {
    /// What an observer has to be interested in to be told.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            KeyedEvent::Exhausted { .. } => Interest::Changes,
            KeyedEvent::Built { .. }
            | KeyedEvent::Dropped { .. }
            | KeyedEvent::Added { .. }
            | KeyedEvent::Evicted { .. }
            | KeyedEvent::Overflowed { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<KeyedEvent<'a>> for Event<'a> {
    fn from(event: KeyedEvent<'a>) -> Event<'a> {
        Event::Keyed(event)
    }
}

/// Why the handle of a key was evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionCause {
    /// It had not been used for the idle time.
    Idle,
    /// Another key needed its place.
    Capacity,
    /// It was removed by hand.
    Removed,
}
