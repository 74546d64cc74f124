use std::time::Duration;

use super::Event;
use crate::machine::circuit_breaker::notice::{Counts, State, TransitionCause};
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// What happens to a circuit breaker and its calls.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CircuitBreakerEvent<'a> {
    /// A circuit changed its state. Told exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    Transition {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The state that it left.
        from: State,
        /// The state that it is in; never the same.
        to: State,
        /// Grows with every change of this circuit, so that changes told by two threads can be put in order.
        sequence: u64,
        /// Why.
        cause: TransitionCause,
        /// What had been counted in the state that it left.
        counts: Counts,
    },
    /// A circuit rejected a call.
    #[non_exhaustive]
    Rejected {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The open time that is left, where it is known.
        retry_after: Option<Duration>,
    },
    /// A circuit that only observes would have opened. Told once, until no rule is broken any more.
    #[non_exhaustive]
    WouldHaveOpened {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
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
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † The last handle of a circuit was dropped.
    #[non_exhaustive]
    Dropped {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The state that it was in.
        state: State,
    },
    /// † A call that a circuit had let pass was settled. Told once for each such call, however it ended.
    #[non_exhaustive]
    Settled {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How it went. A call that was dropped is what [`OnDrop`](crate::OnDrop) says, one that panicked is a failure.
        /// Told as it is, also if it came too late to count.
        verdict: Verdict,
        /// From the moment at which the call was let pass.
        elapsed: Duration,
    },
    /// † The inner service of a circuit failed to become ready, which counts as a failed call that never began.
    #[non_exhaustive]
    ReadyFailed {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
}

impl CircuitBreakerEvent<'_> {
    /// What an observer has to be interested in to be told.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            CircuitBreakerEvent::Transition { .. }
            | CircuitBreakerEvent::Rejected { .. }
            | CircuitBreakerEvent::WouldHaveOpened { .. } => Interest::Changes,
            CircuitBreakerEvent::Built { .. }
            | CircuitBreakerEvent::Dropped { .. }
            | CircuitBreakerEvent::Settled { .. }
            | CircuitBreakerEvent::ReadyFailed { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<CircuitBreakerEvent<'a>> for Event<'a> {
    fn from(event: CircuitBreakerEvent<'a>) -> Event<'a> {
        Event::CircuitBreaker(event)
    }
}
