use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use crate::context::Deadline;
use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// Decides by when a request must be answered.
///
/// Any closure that takes a `&Request` and returns an `Option<Deadline>` will do: see
/// [`DeadlineLayer::for_request`](crate::DeadlineLayer::for_request).
pub trait DeadlineFor<Request> {
    /// The deadline of this request, if it has one of its own. It narrows the one that is current, if there is one.
    fn deadline_for(&self, request: &Request, arrival: &Arrival) -> Option<Deadline>;
}

impl<F, Request> DeadlineFor<Request> for F
where
    F: Fn(&Request) -> Option<Deadline>,
{
    fn deadline_for(&self, request: &Request, _: &Arrival) -> Option<Deadline> {
        self(request)
    }
}

/// The moment at which a request arrived. The clock is read for it when it is first asked for, and once.
#[derive(Default)]
pub struct Arrival {
    now: Cell<Option<Timestamp>>,
}

impl Arrival {
    /// This long after the request arrived. A duration that the clock cannot represent is [`Deadline::NEVER`].
    #[must_use]
    pub fn within(&self, time: Duration) -> Deadline {
        Deadline::from_timestamp(self.now().after(time)).unwrap_or(Deadline::NEVER)
    }

    pub(super) fn now(&self) -> Timestamp {
        let now = self.now.get().unwrap_or_else(time::now);
        self.now.set(Some(now));
        now
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arrival")
    }
}

/// The same time for every request: the default. Made by
/// [`DeadlineLayer::within`](crate::DeadlineLayer::within).
#[derive(Clone, Copy, Debug)]
pub struct FixedDeadline(Duration);

impl FixedDeadline {
    pub(super) fn new(time: Duration) -> FixedDeadline {
        FixedDeadline(time)
    }
}

impl<Request> DeadlineFor<Request> for FixedDeadline {
    #[inline]
    fn deadline_for(&self, _: &Request, arrival: &Arrival) -> Option<Deadline> {
        Some(arrival.within(self.0))
    }
}
