use std::sync::Arc;

use super::event::Event;
use super::interest::Interest;
use super::notifier::notify_guarded;

/// Receives events, on the thread that caused them and outside any lock: it may call any method of the handle that the
/// event is about.
///
/// It runs as part of a call, so it should be quick. A panic in it is caught and logged; the call goes on.
///
/// Any closure that takes an [`&Event`](Event) is an observer:
///
/// ```
/// use seaworthy::observe::CircuitBreakerEvent;
/// use seaworthy::{CircuitBreaker, Event};
///
/// let circuit_breaker = CircuitBreaker::builder("payments")
///     .observer(|event: &Event<'_>| {
///         if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { name, from, to, .. }) = event {
///             println!("{name}: {from} -> {to}");
///         }
///     })
///     .build()?;
/// circuit_breaker.force_open(); // payments: closed -> open
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// A tuple of two or three observers is an observer, too: `(TracingObserver, mine)` passes each event to both, and a
/// panic in one does not keep the event from the other.
pub trait Observer: Send + Sync {
    /// Handles an event.
    fn on_event(&self, event: &Event<'_>);

    /// Which events it receives. By default changes and failures; with [`Interest::Calls`], also every call, including
    /// those that succeed, and what is built and dropped (the events marked with † in the enums of [`Event`]).
    ///
    /// It is asked when the observer is given to a builder, and the answer must never change. With [`Interest::Calls`]
    /// each call costs more: whatever the observer costs, and for a circuit breaker two clock reads and, with a window,
    /// the same as for [`slow_call`](crate::circuit_breaker::CircuitBreakerBuilder::slow_call). Otherwise calls cost
    /// the same as without an observer.
    fn interest(&self) -> Interest {
        Interest::Changes
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Passes events to the observer inside.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        (**self).on_event(event);
    }

    fn interest(&self) -> Interest {
        (**self).interest()
    }
}

/// Passes events to both, but events about calls only to those interested in them.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_event(&self, event: &Event<'_>) {
        notify_one_of_many(&self.0, event);
        notify_one_of_many(&self.1, event);
    }

    fn interest(&self) -> Interest {
        self.0.interest().max(self.1.interest())
    }
}

/// Passes events to all three, but events about calls only to those interested in them.
impl<A: Observer, B: Observer, C: Observer> Observer for (A, B, C) {
    fn on_event(&self, event: &Event<'_>) {
        notify_one_of_many(&self.0, event);
        notify_one_of_many(&self.1, event);
        notify_one_of_many(&self.2, event);
    }

    fn interest(&self) -> Interest {
        self.0.interest().max(self.1.interest()).max(self.2.interest())
    }
}

fn notify_one_of_many(observer: &dyn Observer, event: &Event<'_>) {
    if observer.interest() >= event.interest() {
        notify_guarded(observer, event);
    }
}
