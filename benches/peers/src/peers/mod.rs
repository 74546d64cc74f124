//! One file per peer. To add one, implement [`Peer`](crate::Peer) in a new file and add a line to [`entries`].

mod circuitbreaker_rs;
mod failsafe;
mod recloser;
mod seatbelt;
mod seaworthy;
mod throttle_net;
mod tower_resilience;

use crate::Entry;

/// Everything measured, in the order of the columns; the others are compared with the first.
pub fn entries() -> Vec<Entry> {
    vec![
        Entry::of::<seaworthy::Service>(),
        Entry::of::<seaworthy::TypedService>(),
        Entry::of::<seaworthy::StaticService>(),
        Entry::of::<seaworthy::Run>(),
        Entry::of::<tower_resilience::TowerResilience>(),
        Entry::of::<recloser::Shared>(),
        Entry::of::<failsafe::Failsafe>(),
        Entry::of::<circuitbreaker_rs::Breaker>(),
        Entry::of::<throttle_net::Breaker>(),
        Entry::of::<seatbelt::Seatbelt<false>>(),
        Entry::of::<seatbelt::Seatbelt<true>>(),
    ]
}
