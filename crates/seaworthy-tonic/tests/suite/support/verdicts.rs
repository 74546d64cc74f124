use std::sync::{Arc, Mutex};

use seaworthy::observe::{CircuitBreakerEvent, Interest};
use seaworthy::{Event, Observer, Verdict};

/// Remembers how each call through a circuit breaker was settled.
#[derive(Clone, Default)]
pub(crate) struct Verdicts(Arc<Mutex<Vec<Verdict>>>);

impl Verdicts {
    pub(crate) fn take(&self) -> Vec<Verdict> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics"))
    }
}

impl Observer for Verdicts {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::CircuitBreaker(CircuitBreakerEvent::Settled { verdict, .. }) = event {
            self.0.lock().expect("nobody panics").push(*verdict);
        }
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}
