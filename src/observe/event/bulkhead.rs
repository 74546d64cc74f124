use std::time::Duration;

use super::Event;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of a bulkhead and its callers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum BulkheadEvent<'a> {
    /// A bulkhead rejected a call.
    #[non_exhaustive]
    Rejected {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How long the call waited for a permit in vain; absent if it was rejected at once.
        waited: Option<Duration>,
    },
    /// † The number of a bulkhead's permits changed.
    #[non_exhaustive]
    Resized {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many permits it had; 0 when it was built.
        from: u32,
        /// How many it has; 0 when its last handle was dropped.
        to: u32,
    },
    /// † A caller took a permit without waiting. Events from two threads may arrive in either order, here and below:
    /// add them up.
    #[non_exhaustive]
    Acquired {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † A caller began to wait for a permit.
    #[non_exhaustive]
    Queued {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † A waiting caller was given a permit, even if it has not noticed yet. Reported by the thread that released the
    /// permit.
    #[non_exhaustive]
    Granted {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † A caller gave its permit back. If a waiting caller gets it, `Granted` follows.
    #[non_exhaustive]
    Released {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † A caller stopped waiting, without a permit.
    #[non_exhaustive]
    Left {
        /// The bulkhead.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
}

impl BulkheadEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            BulkheadEvent::Rejected { .. } => Interest::Changes,
            BulkheadEvent::Resized { .. }
            | BulkheadEvent::Acquired { .. }
            | BulkheadEvent::Queued { .. }
            | BulkheadEvent::Granted { .. }
            | BulkheadEvent::Released { .. }
            | BulkheadEvent::Left { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<BulkheadEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: BulkheadEvent<'a>) -> Event<'a> {
        Event::Bulkhead(event)
    }
}
