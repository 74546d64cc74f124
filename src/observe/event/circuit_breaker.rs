use std::time::Duration;

use super::Event;
use crate::machine::circuit_breaker::notice::{Counts, State, TransitionCause};
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of a circuit breaker and its calls.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CircuitBreakerEvent<'a> {
    /// A circuit changed its state. Reported exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    Transition {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The state it left.
        from: State,
        /// The state it is in now; never the same as `from`.
        to: State,
        /// Grows with every change of this circuit, so that changes reported by two threads can be put in order.
        sequence: u64,
        /// Why.
        cause: TransitionCause,
        /// What was counted in the state it left.
        counts: Counts,
    },
    /// A circuit rejected a call.
    #[non_exhaustive]
    Rejected {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The open time that is left, if known.
        retry_after: Option<Duration>,
    },
    /// A circuit that only observes would have opened. Reported only once until no rule is broken any more.
    #[non_exhaustive]
    WouldHaveOpened {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The rule that is broken.
        cause: TransitionCause,
        /// What has been counted.
        counts: Counts,
    },
    /// † A circuit was built. It is closed.
    #[non_exhaustive]
    Built {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
    /// † The last handle of a circuit was dropped.
    #[non_exhaustive]
    Dropped {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The state it was in.
        state: State,
    },
    /// † A call that a circuit admitted was settled. Reported once for each such call, however it ended.
    #[non_exhaustive]
    Settled {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How it went. A dropped call counts as what [`OnDrop`](crate::OnDrop) says, and one that panicked as a
        /// failure. A verdict that came too late to count is reported unchanged.
        verdict: Verdict,
        /// The time from being admitted until the response head was there: `elapsed`, unless the circuit breaker waits
        /// for response bodies.
        head: Duration,
        /// The time since the call was admitted.
        elapsed: Duration,
    },
    /// A response body broke off after its call had been settled early, as well.
    #[non_exhaustive]
    BodyBroke {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The time since the response head was there.
        after: Duration,
        /// How many bytes of data had come by then.
        bytes: u64,
    },
    /// † The inner service of a circuit failed to become ready, which counts as a failed call that never began.
    #[non_exhaustive]
    ReadyFailed {
        /// The circuit.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
    },
}

impl CircuitBreakerEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            CircuitBreakerEvent::Transition { .. }
            | CircuitBreakerEvent::Rejected { .. }
            | CircuitBreakerEvent::WouldHaveOpened { .. }
            | CircuitBreakerEvent::BodyBroke { .. } => Interest::Changes,
            CircuitBreakerEvent::Built { .. }
            | CircuitBreakerEvent::Dropped { .. }
            | CircuitBreakerEvent::Settled { .. }
            | CircuitBreakerEvent::ReadyFailed { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<CircuitBreakerEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: CircuitBreakerEvent<'a>) -> Event<'a> {
        Event::CircuitBreaker(event)
    }
}
