//! In memory, where time is paused unless a thread blocks.

use std::time::Duration;

use seaworthy_queue::Memory;

#[cfg(feature = "ledger")]
use crate::ledger_scenarios::{busy, short_circuit};
use crate::scenarios::stale::{self, Asleep, Blocked, Manner, Operation, Way};
use crate::scenarios::support::{Counted, SECOND, millis};
use crate::scenarios::{closed, rolling};

/// What is asked for arrives late.
struct HeldUp(Counted<Memory>);

impl Way for HeldUp {
    const MANNER: Manner = Manner::HeldUp;

    async fn cut(&self) {
        self.0.hold_up(true);
    }

    async fn heal(&self) {
        self.0.hold_up(false);
    }
}

/// The clock is set forward, and nobody has done anything meanwhile.
struct Stepped;

impl Way for Stepped {
    const MANNER: Manner = Manner::Silent;

    async fn pass(&self, lease: Duration) {
        tokio::time::advance(lease).await;
    }
}

/// IN-02: whoever comes back when its job is somebody else's is refused, whatever it asks for: after it was stopped, was
/// cut off with its request under way, and after a step of the clock.
#[tokio::test(start_paused = true)]
async fn stale_owners_are_refused() {
    let memory = Memory::default();
    let cut = HeldUp(Counted::new(memory.clone()));
    let mut refused = stale::refused(&memory, &memory, SECOND, &Asleep).await;
    refused += stale::refused(&cut.0, &memory, SECOND, &cut).await;
    refused += stale::refused(&memory, &memory, SECOND, &Stepped).await;
    assert_eq!(refused, 3 * Operation::ALL.len());
}

/// IN-02: the same of one whose thread was blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_owner_is_refused() {
    let memory = Memory::default();
    assert_eq!(stale::refused(&memory, &memory, millis(50), &Blocked).await, Operation::ALL.len());
}

/// IN-05: for a service that never becomes ready nothing is fetched in 60 s.
#[tokio::test(start_paused = true)]
async fn nothing_for_a_service_that_is_not_ready() {
    let store = Counted::new(Memory::default());
    let asked = store.clone();
    closed::never_ready(store, 60 * SECOND, || asked.receives().into()).await;
}

/// IN-05: while a circuit is open nothing is fetched in 60 s; then one job, for as long as it takes, until it is closed.
#[tokio::test(start_paused = true)]
async fn nothing_while_a_circuit_is_open() {
    let store = Counted::new(Memory::default());
    let asked = store.clone();
    closed::open(store, 60 * SECOND, || asked.receives().into()).await;
}

/// IN-10: ten jobs on a key that somebody else has for 30 s.
#[cfg(feature = "ledger")]
#[tokio::test(start_paused = true)]
async fn busy_spends_nothing() {
    busy::put_off(Memory::default(), 6 * SECOND, 30 * SECOND).await;
}

/// IN-14: each layer that answers for itself, for a minute.
#[cfg(feature = "ledger")]
#[tokio::test(start_paused = true)]
async fn short_circuits() {
    let layers = short_circuit::consistent(|_| Memory::default(), 60 * SECOND, 40).await;
    assert_eq!(layers, short_circuit::Short::ALL.len());
}

/// IN-20: 200 jobs of each of two versions, with workers of both.
#[tokio::test(start_paused = true)]
async fn a_rolling_deployment() {
    rolling::deployed(Memory::default(), async || tokio::time::sleep(30 * SECOND).await).await;
}
