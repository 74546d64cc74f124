//! The ledger's handle, over a store in memory that can be told to fail.

mod ask;
mod checkpoints;
mod doubts;
pub(crate) mod events;
mod hold;
mod renewing_ends;
mod settings;
mod settle;

use std::time::Duration;

use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{Claim, Claimed, EntryState, Key, Ledger};

use crate::doubles::Faulty;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) fn key(value: &str) -> Key {
    Key::new("tests", value).unwrap()
}

pub(crate) fn ledger() -> (Ledger<Faulty>, Faulty) {
    let store = Faulty::default();
    (Ledger::with_store("tests", store.clone()).build().unwrap(), store)
}

pub(crate) async fn mine<S: LedgerStore>(ledger: &Ledger<S>, key: &Key) -> Claim<S> {
    match ledger.claim(key).await.unwrap() {
        Claimed::Mine(claim) => claim,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn state<S: LedgerStore>(ledger: &Ledger<S>, key: &Key) -> Option<EntryState> {
    ledger.lookup(key).await.unwrap().map(|entry| entry.state)
}

/// Lets the other tasks of a paused runtime run.
pub(crate) async fn settle_down() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
