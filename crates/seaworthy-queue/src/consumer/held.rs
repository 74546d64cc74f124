//! The deliveries that a consumer has.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use seaworthy::ShutdownTrigger;
use seaworthy_store::time::Instant;
use tokio::sync::watch;

use crate::store::Holder;

/// One that is at work.
pub(super) struct HeldJob {
    pub(super) holder: Holder,
    /// Until when it is ours, unless it is extended.
    pub(super) until: watch::Sender<Instant>,
    pub(super) lost: ShutdownTrigger,
    /// When its call should be over at the latest, and is dropped.
    pub(super) timeout_at: Option<Instant>,
    /// It was named as one that cannot be dropped.
    pub(super) is_stuck: bool,
    /// Its call is over, and the store is told what is to become of it.
    pub(super) is_settling: bool,
}

#[derive(Default)]
pub(super) struct HeldJobs(Mutex<HashMap<u64, HeldJob>>);

impl HeldJobs {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u64, HeldJob>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
