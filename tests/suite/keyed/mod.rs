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

use seaworthy::circuit::CircuitBuilder;
use seaworthy::keyed::KeyedHandle;
use seaworthy::{Circuit, Keyed, Slots};

use crate::support::SECOND;

const IDLE: Duration = Duration::from_secs(60);

/// Opens at the first failure, for a second.
fn template() -> CircuitBuilder {
    Circuit::builder("hosts").consecutive_failures(1).open_for(SECOND)
}

fn circuits(max: u32) -> Keyed<String, Circuit> {
    template().keyed().idle(IDLE).max(max).build().unwrap()
}

/// One slot for each key.
fn slots(max: u32) -> Keyed<u32, Slots> {
    Slots::builder("tenants").limit(1).keyed().idle(IDLE).max(max).build().unwrap()
}

/// The keys that are there, in order.
fn keys<K: Clone + Ord, H: KeyedHandle>(keyed: &Keyed<K, H>) -> Vec<K> {
    let mut keys: Vec<K> = keyed.handles().into_iter().map(|(key, _)| key).collect();
    keys.sort();
    assert_eq!((keyed.len(), keyed.is_empty()), (keys.len(), keys.is_empty()));
    keys
}

fn is_overflow(circuit: &Circuit) -> bool {
    circuit.name().ends_with(" (overflow)")
}
