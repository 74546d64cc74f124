use std::sync::Arc;

use super::event::Event;
use super::interest::Interest;
use super::notifier::notify_guarded;

/// Is told what happens, by the thread that made it happen and outside of any lock: it may call any method of the
/// handle that the event is about.
///
/// It runs on the path of a call, so it should be quick. A panic in it is caught and logged; the call goes on.
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
/// Two observers, or three, are one: `(TracingObserver, mine)` tells both, and a panic of the one does not keep it from
/// the other.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn on_event(&self, event: &Event<'_>);

    /// What it wants to be told: changes and failures, unless it says otherwise, or every call, those that go well
    /// included, and what is built and dropped (the events marked with † in [`Event`]).
    ///
    /// It is asked when it is given to a builder, and has to say the same for as long as it lives. With
    /// [`Interest::Calls`] each call costs more: what the observer takes, and for a circuit breaker two clock readings
    /// and, with a window, the same as for [`slow_call`](crate::circuit_breaker::CircuitBreakerBuilder::slow_call).
    /// Otherwise calls cost what they cost without an observer.
    fn interest(&self) -> Interest {
        Interest::Changes
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Tells the one inside.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        (**self).on_event(event);
    }

    fn interest(&self) -> Interest {
        (**self).interest()
    }
}

/// Tells both. Each is told of calls only if it is interested in them.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_event(&self, event: &Event<'_>) {
        notify_one_of_many(&self.0, event);
        notify_one_of_many(&self.1, event);
    }

    fn interest(&self) -> Interest {
        self.0.interest().max(self.1.interest())
    }
}

/// Tells all three. Each is told of calls only if it is interested in them.
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
