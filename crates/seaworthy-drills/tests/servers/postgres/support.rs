//! A ledger in a schema of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Key;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Settlement};

pub(super) use crate::space::{Session, Space, all_of, until};

pub(super) const LEASE: Duration = Duration::from_secs(60);

impl Space {
    /// With the ledger's tables.
    pub(super) async fn new() -> Space {
        let space = Space::empty().await;
        let store = space.store().await;
        migrate(&store).await.unwrap();
        store.close().await;
        space
    }

    pub(super) async fn ledger(&self) -> Postgres {
        Postgres::new(&self.store().await)
    }
}

impl Session {
    /// All leases are over.
    pub(super) async fn expire(&mut self) {
        self.run("UPDATE seaworthy_ledger SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 0")
            .await;
    }
}

pub(super) fn key(value: &str) -> Key {
    Key::new("test", value).unwrap()
}

/// An owner that nobody else has.
pub(super) fn owner() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64 | 7
}

pub(super) fn attempt(key: &Key) -> Attempt {
    Attempt { key: key.clone(), owner: owner(), lease: LEASE, fingerprint: None, rank: None }
}

pub(super) fn holder(attempt: &Attempt, fence: u64) -> Holder {
    Holder { key: attempt.key.clone(), fence, owner: attempt.owner }
}

/// Claims what nobody has.
pub(super) async fn claimed(ledger: &Postgres, value: &str) -> Holder {
    let attempt = attempt(&key(value));
    match ledger.claim(&attempt).await.unwrap() {
        Answer::Granted { fence, .. } => holder(&attempt, fence),
        other => panic!("{value} was to be had, and is {other:?}"),
    }
}

pub(super) fn done(result: &'static str) -> Settlement {
    Settlement::Done { result: Bytes::from_static(result.as_bytes()), content_type: "text/plain".into(), keep: None }
}

pub(super) fn fence(answer: &Answer) -> u64 {
    match answer {
        Answer::Granted { fence, .. } => *fence,
        other => panic!("not granted: {other:?}"),
    }
}
