//! What this process holds, and is asking for: at most one claim of a key.

use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use seaworthy::ShutdownTrigger;
use seaworthy_store::random;
use seaworthy_store::time::Instant;
use tokio::sync::Notify;

use crate::key::Key;
use crate::key_map::KeyMap;
use crate::store::{Attempt, Holder};

/// What is said of a key that another task of this process is asking for.
pub(crate) const ASK_AGAIN: Duration = Duration::from_millis(50);
pub(crate) const SOONEST: Duration = Duration::from_millis(10);

/// The keys of one ledger.
#[derive(Default)]
pub(crate) struct HeldKeys {
    keys: Mutex<Keys>,
    /// Something is held that may be due before all others.
    pub(crate) changed: Notify,
    /// Something that was asked for is answered, or given up.
    pub(crate) answered: Notify,
}

#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) map: KeyMap<HeldKey>,
    pub(crate) is_renewing: bool,
    /// When the renewing looks at them again.
    pub(crate) next_look: Option<Instant>,
    /// The renewing is not to wait for that when nothing is held.
    pub(crate) is_closing: bool,
    prune_at: usize,
}

#[derive(Default)]
pub(crate) struct HeldKey {
    asking: Option<u128>,
    /// Nobody knows whether this one was granted; who asks next does it in its name.
    in_doubt: Option<(u128, Instant)>,
    pub(crate) lease: Option<HeldLease>,
}

pub(crate) struct HeldLease {
    pub(crate) holder: Holder,
    pub(crate) span: Duration,
    rank: Option<i64>,
    fingerprint: Option<Bytes>,
    /// The instant before the last request that was granted or renewed.
    pub(crate) sent: Instant,
    pub(crate) renewing: Option<Renewing>,
    /// What a renewal says of it may be what the settlement did.
    pub(crate) is_settling: bool,
}

/// A lease that is renewed.
pub(crate) struct Renewing {
    pub(crate) lost: ShutdownTrigger,
    pub(crate) due: Instant,
}

impl HeldLease {
    /// When the holder takes it for lost by its own clock.
    pub(crate) fn local_end(&self) -> Instant {
        self.sent + (self.span - self.span / 15)
    }
}

/// Whether a key may be asked for.
pub(crate) enum Ask {
    /// In the name of this owner.
    As(u128),
    Busy(Duration),
    Mismatch,
    /// Another task of this process is asking.
    Asked,
}

impl HeldKeys {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ask(&self, key: &Key, rank: Option<i64>, fingerprint: Option<&Bytes>, now: Instant) -> Ask {
        let mut keys = self.lock();
        keys.prune(now);
        let entry = keys.map.entry(key.clone()).or_default();
        if entry.asking.is_some() {
            return Ask::Asked;
        }
        if let Some(lease) = &entry.lease {
            let left = (lease.sent + lease.span).saturating_duration_since(now);
            let outranked = rank.is_some() && rank > lease.rank;
            if !left.is_zero() && !outranked {
                if lease.fingerprint.as_ref().zip(fingerprint).is_some_and(|(ours, theirs)| ours != theirs) {
                    return Ask::Mismatch;
                }
                return Ask::Busy(left.max(SOONEST));
            }
        }
        // The first asking may have been granted after all.
        let owner = entry.in_doubt.map_or_else(first_asking, |(owner, _)| next_asking(owner));
        entry.asking = Some(owner);
        Ask::As(owner)
    }

    /// The store has answered, and what was asked for before was not granted, either.
    pub(crate) fn refused(&self, key: &Key) {
        self.lock().change(key, |entry| {
            entry.asking = None;
            entry.in_doubt = None;
        });
    }

    /// Nothing was granted now. What is in doubt from before stays so.
    pub(crate) fn not_granted(&self, key: &Key) {
        self.lock().change(key, |entry| entry.asking = None);
    }

    /// Nobody knows.
    pub(crate) fn doubtful(&self, key: &Key, until: Instant) {
        self.lock().change(key, |entry| {
            let Some(owner) = entry.asking.take() else { return };
            // Whichever of the two was granted has a lease of its own length.
            let longest = entry.in_doubt.map_or(until, |(_, before)| before.max(until));
            entry.in_doubt = Some((owner, longest));
        });
    }

    /// It was granted. Gives the lease that it was taken from, if this process had that.
    pub(crate) fn granted(&self, holder: &Holder, attempt: &Attempt, sent: Instant) -> Option<HeldLease> {
        let mut keys = self.lock();
        let entry = keys.map.entry(holder.key.clone()).or_default();
        (entry.asking, entry.in_doubt) = (None, None);
        entry.lease.replace(HeldLease {
            holder: holder.clone(),
            span: attempt.lease,
            rank: attempt.rank,
            fingerprint: attempt.fingerprint.clone(),
            sent,
            renewing: None,
            is_settling: false,
        })
    }

    /// The claim is settled, or given up; whether the process holds one less.
    pub(crate) fn forget(&self, holder: &Holder) -> bool {
        let mut keys = self.lock();
        let mut was_held = false;
        keys.change(&holder.key, |entry| {
            was_held = entry.lease.as_ref().is_some_and(|lease| lease.holder == *holder);
            if was_held {
                entry.lease = None;
            }
        });
        if keys.is_closing {
            self.changed.notify_one();
        }
        was_held
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().map.values().filter(|entry| entry.lease.is_some()).count()
    }
}

impl Keys {
    /// Changes what is there, and forgets a key of which nothing is left.
    fn change(&mut self, key: &Key, change: impl FnOnce(&mut HeldKey)) {
        if let Entry::Occupied(mut entry) = self.map.entry(key.clone()) {
            change(entry.get_mut());
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }

    /// Those in doubt are forgotten when their leases are over, whenever the map has doubled.
    fn prune(&mut self, now: Instant) {
        if self.map.len() < self.prune_at {
            return;
        }
        self.map.retain(|_, entry| {
            entry.in_doubt.take_if(|(_, until)| *until <= now);
            !entry.is_empty()
        });
        self.prune_at = (2 * self.map.len()).max(64);
    }

    /// Of those that are renewed the holder and the trigger, if they are to be told; then they are renewed no more.
    pub(crate) fn take_lost(&mut self, is_lost: impl Fn(&HeldLease) -> bool) -> Vec<(Holder, ShutdownTrigger)> {
        let leases = self.map.values_mut().filter_map(|entry| entry.lease.as_mut()).filter(|lease| is_lost(lease));
        leases.filter_map(|lease| Some((lease.holder.clone(), lease.renewing.take()?.lost))).collect()
    }

    pub(crate) fn lease_of(&mut self, holder: &Holder) -> Option<&mut HeldLease> {
        self.map.get_mut(&holder.key)?.lease.as_mut().filter(|lease| lease.holder == *holder)
    }
}

impl HeldKey {
    fn is_empty(&self) -> bool {
        self.asking.is_none() && self.in_doubt.is_none() && self.lease.is_none()
    }
}

/// The lower bits of an owner, which count the askings.
const COUNT: u128 = u32::MAX as u128;

fn first_asking() -> u128 {
    random::unique() & !COUNT
}

fn next_asking(owner: u128) -> u128 {
    // After four billion it is somebody else, and waits for the lease.
    if owner & COUNT == COUNT { first_asking() } else { owner + 1 }
}
