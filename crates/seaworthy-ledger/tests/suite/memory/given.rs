//! What the tests of the memory's own behaviour ask of it.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::store::{Answer, Attempt, Holder, Settlement};
use seaworthy_ledger::{Entry, Key, Memory};

pub(super) const LEASE: Duration = Duration::from_secs(60);
pub(super) const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn key(number: usize) -> Key {
    Key::new("test", &format!("key-{number}")).unwrap()
}

pub(super) fn attempt(number: usize, lease: Duration) -> Attempt {
    Attempt { key: key(number), owner: 7, lease, fingerprint: None, rank: None }
}

pub(super) async fn held(store: &Memory, number: usize) -> Holder {
    match store.claim(&attempt(number, LEASE)).await.unwrap() {
        Answer::Granted { fence, .. } => Holder { key: key(number), fence, owner: 7 },
        other => panic!("{other:?}"),
    }
}

pub(super) fn done(keep: Option<Duration>) -> Settlement {
    Settlement::Done { result: Bytes::from_static(b"result"), content_type: "text/plain".into(), keep }
}

pub(super) fn failed(keep: Option<Duration>) -> Settlement {
    Settlement::Failed { reason: "no".into(), keep }
}

pub(super) async fn settled(store: &Memory, number: usize, settlement: Settlement) {
    let holder = held(store, number).await;
    assert_eq!(store.settle(&holder, &settlement).await.unwrap(), Held::Yes);
}

pub(super) async fn entry(store: &Memory, number: usize) -> Option<Entry> {
    store.lookup(&key(number)).await.unwrap()
}

pub(super) async fn has(store: &Memory, number: usize) -> bool {
    entry(store, number).await.is_some()
}
