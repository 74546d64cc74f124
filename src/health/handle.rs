use std::sync::Arc;

use super::gauge::Gauge;
use crate::Phase;

/// How a service is: its [`Phase`], and how many requests it has in flight.
///
/// # Clone
/// Costs a reference count; all clones are the same service's.
#[derive(Clone, Debug)]
pub struct Health(Arc<Core>);

#[derive(Debug)]
struct Core {
    gauge: Gauge,
}

impl Health {
    /// A service that is [`Starting`](Phase::Starting).
    #[must_use]
    pub fn new() -> Health {
        Health(Arc::new(Core { gauge: Gauge::new() }))
    }

    /// Where the service is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.gauge.phase()
    }

    /// Moves on to `phase`. Returns false, and changes nothing, if the service is there or past it already.
    pub fn advance(&self, phase: Phase) -> bool {
        self.0.gauge.advance(phase)
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.gauge.in_flight()
    }

    /// Waits until no request is in flight.
    ///
    /// # Cancellation
    /// Dropping it changes nothing.
    pub async fn idle(&self) {
        self.0.gauge.empty().await;
    }
}

impl Default for Health {
    fn default() -> Health {
        Health::new()
    }
}
