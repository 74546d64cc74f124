use std::time::Duration;

use super::Event;
use crate::error::DeadlineStage;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of calls with a deadline.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DeadlineEvent<'a> {
    /// † A call arrived, with this much of its time left. Zero if its deadline had passed.
    #[non_exhaustive]
    Arrived {
        /// The deadline layer, if it has a name.
        name: Option<&'a Name>,
        /// What else is known about the layer.
        source: Source<'a>,
        /// The time left.
        remaining: Duration,
    },
    /// A call ended because its deadline had passed. Reported after what was under way was dropped.
    #[non_exhaustive]
    Exceeded {
        /// What ended it, if it has a name: a deadline layer, a circuit breaker, a bulkhead, a timeout or a policy.
        name: Option<&'a Name>,
        /// The family of keys of what ended it, if it belongs to one.
        source: Source<'a>,
        /// How far the call had come.
        stage: DeadlineStage,
        /// How long ago the deadline passed. Zero if it has not, but less time was left than is needed.
        late: Duration,
    },
    /// A header that says how much time a request has was malformed, which is the same as if it were not there.
    /// Reported once a request.
    #[non_exhaustive]
    HeaderMalformed {
        /// The inbound layer, if it has a name.
        name: Option<&'a Name>,
        /// What else is known about the layer.
        source: Source<'a>,
        /// The name of the header.
        header: &'a str,
    },
}

impl DeadlineEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            DeadlineEvent::Arrived { .. } => Interest::Calls,
            DeadlineEvent::Exceeded { .. } | DeadlineEvent::HeaderMalformed { .. } => Interest::Changes,
        }
    }
}

impl<'a> From<DeadlineEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: DeadlineEvent<'a>) -> Event<'a> {
        Event::Deadline(event)
    }
}
