use std::fmt;
use std::time::Duration;

use super::Event;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of calls and bodies with a timeout.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TimeoutEvent<'a> {
    /// A call or body exceeded its time limit. Reported after the inner future or body was dropped.
    #[non_exhaustive]
    TimedOut {
        /// The timeout, if it has a name.
        name: Option<&'a Name>,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The time limit that was exceeded.
        limit: Limit,
        /// How long the limit was.
        after: Duration,
    },
}

impl TimeoutEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            TimeoutEvent::TimedOut { .. } => Interest::Changes,
        }
    }
}

impl<'a> From<TimeoutEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: TimeoutEvent<'a>) -> Event<'a> {
        Event::Timeout(event)
    }
}

/// The time limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// The time for the response.
    Response,
    /// The time within which the next frame of a body must arrive.
    BodyIdle,
    /// The time for a whole body.
    BodyTotal,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Limit::Response => "response",
            Limit::BodyIdle => "body idle",
            Limit::BodyTotal => "body total",
        })
    }
}
