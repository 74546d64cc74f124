//! KY: a handle for each key.

mod forgetting;
mod full;
mod lookup;
mod property;
mod service;
mod settings;
mod threads;
mod traits;

use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::keyed::KeyedHandle;
use seaworthy::{Bulkhead, CircuitBreaker, Keyed};

use crate::support::SECOND;

const IDLE: Duration = Duration::from_secs(60);

/// Opens at the first failure, for a second.
fn template() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("hosts").consecutive_failures(1).open_for(SECOND)
}

fn circuits(max: u32) -> Keyed<String, CircuitBreaker> {
    template().keyed().idle(IDLE).max(max).build().unwrap()
}

/// One permit for each key.
fn bulkhead(max: u32) -> Keyed<u32, Bulkhead> {
    Bulkhead::builder("tenants").limit(1).keyed().idle(IDLE).max(max).build().unwrap()
}

/// The known keys, in order.
fn keys<K: Clone + Ord, H: KeyedHandle>(keyed: &Keyed<K, H>) -> Vec<K> {
    let mut keys: Vec<K> = keyed.handles().into_iter().map(|(key, _)| key).collect();
    keys.sort();
    assert_eq!((keyed.len(), keyed.is_empty()), (keys.len(), keys.is_empty()));
    keys
}

fn is_overflow(circuit_breaker: &CircuitBreaker) -> bool {
    circuit_breaker.name().ends_with(" (overflow)")
}
