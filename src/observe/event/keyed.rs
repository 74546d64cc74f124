use super::Event;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of a family of handles.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum KeyedEvent<'a> {
    /// There is no room for another key's handle, and none of the handles that were looked at may be evicted.
    /// Reported only once until there is room again.
    #[non_exhaustive]
    Exhausted {
        /// The family of handles.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// † A family of handles was built. It is empty.
    #[non_exhaustive]
    Built {
        /// The family.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// † The last clone of a family was dropped, and the family with all its entries.
    #[non_exhaustive]
    Dropped {
        /// The family.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many handles it could have.
        max: u32,
        /// How many it had.
        handles: u64,
    },
    /// † A handle was made for a new key.
    #[non_exhaustive]
    Added {
        /// The family.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † The handles of some keys were evicted.
    #[non_exhaustive]
    Evicted {
        /// The family.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many.
        count: u64,
        /// Why.
        cause: EvictionCause,
    },
    /// † There was no room for a key's handle, and the overflow handle was used instead.
    #[non_exhaustive]
    Overflowed {
        /// The family.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
}

impl KeyedEvent<'_> {
    /// The interest that an observer needs to receive this event.
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
    #[inline]
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
