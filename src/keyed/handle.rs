use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::kind::KeyedHandle;
use super::kind::sealed::KeyedHandleKind;
use super::label;
use super::label::Label;
use super::shard::{Eviction, Shard};
use super::stats::{Reserved, Snapshot, Stats};
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;

/// The number of locks, so that calls for different keys rarely need the same one.
const SHARDS: usize = 16;
/// The most handles that are examined to find one that can be evicted.
const LOOKS: usize = 16;
/// After a search has found none, how long further searches are skipped: whatever number of keys arrives, at most a
/// thousandth of the time is spent searching.
const FULL_FOR: Duration = Duration::from_millis(1);

/// One circuit breaker or bulkhead per key, created the first time its key is used.
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, Keyed};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let backends: Keyed<String, CircuitBreaker> = CircuitBreaker::builder("backends")
///     .consecutive_failures(3)
///     .keyed()
///     .idle(Duration::from_secs(300))
///     .max(500)
///     .build()?;
///
/// let eu = backends.get("eu-1");
/// assert_eq!(eu.name(), "backends[eu-1]");
/// for _ in 0..3 {
///     eu.run(async { Err::<(), BoxError>("down".into()) }).await.unwrap_err();
/// }
/// // Only this one is open.
/// assert!(backends.get("eu-1").admit().is_err());
/// assert!(backends.get("us-1").admit().is_ok());
/// # Ok(())
/// # }
/// ```
///
/// Looking up a known key allocates nothing. Apart from hashing, it holds one of sixteen locks for the time of the
/// lookup, and reads the clock once. Keys are compared under that lock, and cloned when the handles are listed: a key's
/// `Eq`, `Borrow` or `Clone` that uses the same `Keyed` deadlocks.
///
/// # Clone
/// Costs a reference count; clones share the handles.
pub struct Keyed<K, H: KeyedHandle>(Arc<Family<K, H>>);

struct Family<K, H: KeyedHandle> {
    template: <H as KeyedHandleKind>::Template,
    label: Label<K>,
    idle: Duration,
    hasher: RandomState,
    shards: [CacheAligned<Mutex<Shard<K, H>>>; SHARDS],
    overflow: H,
    /// Until then no search for a handle to evict is made: the last one found none.
    full_until: AtomicU64,
    stats: Stats,
}

/// A lock that shares no cache line with another.
#[repr(align(64))]
struct CacheAligned<T>(T);

impl<K, H: KeyedHandle> Clone for Keyed<K, H> {
    fn clone(&self) -> Keyed<K, H> {
        Keyed(Arc::clone(&self.0))
    }
}

impl<K, H: KeyedHandle> Keyed<K, H> {
    pub(super) fn new(
        name: Name,
        template: <H as KeyedHandleKind>::Template,
        label: Label<K>,
        idle: Duration,
        max: u32,
    ) -> Keyed<K, H> {
        let notifier = H::notifier(&template).clone();
        Keyed(Arc::new(Family {
            overflow: H::overflow(&template, label::overflow(&name)),
            full_until: AtomicU64::new(0),
            stats: Stats::new(name, max, notifier),
            template,
            label,
            idle,
            hasher: RandomState::new(),
            shards: [(); SHARDS].map(|()| CacheAligned(Mutex::new(Shard::new()))),
        }))
    }

    /// The name of the family, which is the template's.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.stats.name
    }

    /// The handle shared by the keys for which there is no room: see [the module](super).
    #[must_use]
    pub fn overflow(&self) -> &H {
        &self.0.overflow
    }

    /// How many handles are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.stats.handles() as usize
    }

    /// Whether no handle is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything there is to know, for metrics. The numbers may be from slightly different moments.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.stats.snapshot()
    }

    /// All keys with their handles, in no particular order, for metrics or to reset them all. This does not count as
    /// use: they may be evicted once the list is dropped. It copies one shard after another.
    #[must_use]
    pub fn handles(&self) -> Vec<(K, H)>
    where
        K: Clone,
    {
        let mut handles = Vec::with_capacity(self.len());
        for shard in &self.0.shards {
            handles.extend(shard.0.lock().each().map(|(key, handle)| (key.clone(), handle.clone())));
        }
        handles
    }

    /// Examines all handles that may have been idle long enough, and evicts those that have. Calls do this along the
    /// way, a few handles at a time; this is for callers that need it done now, such as before taking a count.
    pub fn evict_idle(&self) {
        let now = time::now();
        for shard in &self.0.shards {
            // Nothing comes up twice, because what was examined is not due again at this moment.
            while shard.0.lock().is_due(|since| self.0.is_over(since, now)) {
                let gone = self.0.expire_due(&mut shard.0.lock(), now);
                self.0.evicted(gone);
            }
        }
    }
}

impl<K: Hash + Eq, H: KeyedHandle> Keyed<K, H> {
    /// The handle of a key, created if there is none. It never waits and never fails; if there is no room for another
    /// handle, it returns the [overflow](Self::overflow).
    ///
    /// As long as the handle is held anywhere, or a call through it is running, the key keeps it.
    pub fn get<Q>(&self, key: &Q) -> H
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.get_with(key, Q::to_owned)
    }

    /// Like [`get`](Self::get), for keys that are built differently from what they are looked up by, such as an
    /// `Arc<str>` from a `&str`. `make` is called for a new key, and must return an equal one.
    ///
    /// ```
    /// use seaworthy::{Keyed, Bulkhead};
    /// use std::sync::Arc;
    ///
    /// let tenants: Keyed<Arc<str>, Bulkhead> = Bulkhead::builder("tenants").limit(4).keyed().build()?;
    /// let bulkhead = tenants.get_with("acme", |key| Arc::from(key));
    /// assert_eq!(bulkhead.name(), "tenants[acme]");
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn get_with<Q>(&self, key: &Q, make: impl FnOnce(&Q) -> K) -> H
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, now) = (self.0.hasher.hash_one(key), time::now());
        match self.0.ask(hash, key, now) {
            Some(handle) => handle,
            None => self.0.create(hash, || make(key), now),
        }
    }

    /// Like [`get`](Self::get), with an owned key that may be kept.
    pub fn get_owned(&self, key: K) -> H {
        let (hash, now) = (self.0.hasher.hash_one(&key), time::now());
        match self.0.ask(hash, &key, now) {
            Some(handle) => handle,
            None => self.0.create(hash, || key, now),
        }
    }

    /// The handle of a key, if there is one; like [`get`](Self::get), this counts as use.
    pub fn find<Q>(&self, key: &Q) -> Option<H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.ask(self.0.hasher.hash_one(key), key, time::now())
    }

    /// Evicts the handle of a key whatever its state, and returns it. Its holders keep using it; the next lookup of the
    /// key creates a new one.
    pub fn remove<Q>(&self, key: &Q) -> Option<H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.0.hasher.hash_one(key);
        let (_key, handle) = self.0.shard(hash).lock().remove(hash, |known| known.borrow() == key)?;
        self.0.stats.removed();
        Some(handle)
    }
}

impl<K, H: KeyedHandle> Family<K, H> {
    fn shard(&self, hash: u64) -> &Mutex<Shard<K, H>> {
        // The hash table uses the lowest and the highest bits; these are others.
        &self.shards[(hash >> 40) as usize % SHARDS].0
    }

    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        since.after(self.idle) <= now
    }

    fn expire_due(&self, shard: &mut Shard<K, H>, now: Timestamp) -> [Option<(K, H)>; 3] {
        shard.expire_due(|since| self.is_over(since, now), now, |handle| handle.idleness(&self.template, now))
    }

    /// Counts what was evicted, and drops it.
    fn evicted(&self, gone: [Option<(K, H)>; 3]) {
        let count = gone.iter().flatten().count() as u64;
        if count > 0 {
            self.stats.evicted_idle(count);
        }
    }

    #[inline]
    fn ask<Q>(&self, hash: u64, key: &Q, now: Timestamp) -> Option<H>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mut shard = self.shard(hash).lock();
        // In this order, so that the handle being looked up is not evicted along the way.
        let handle = shard.ask(hash, |known| known.borrow() == key, now).cloned();
        let gone = self.expire_due(&mut shard, now);
        drop(shard);
        self.evicted(gone);
        handle
    }

    #[cold]
    fn create(&self, hash: u64, key: impl FnOnce() -> K, now: Timestamp) -> H
    where
        K: Eq,
    {
        let Some(reserved) = self.reserve(now) else {
            self.stats.overflowed();
            return self.overflow.clone();
        };
        let key = key();
        let handle = H::make(&self.template, self.label.name(&self.stats.name, &key));
        let mut shard = self.shard(hash).lock();
        if let Some(known) = shard.ask(hash, |known| *known == key, now) {
            // Another thread was faster. Our handle is dropped outside the lock, and its place is released.
            let known = known.clone();
            drop(shard);
            return known;
        }
        shard.add(hash, key, handle.clone(), now);
        drop(shard);
        reserved.fill();
        handle
    }

    /// A free place, or that of a handle that can be evicted.
    fn reserve(&self, now: Timestamp) -> Option<Reserved<'_>> {
        if let Some(reserved) = self.stats.reserve() {
            return Some(reserved);
        }
        if now < Timestamp::from_nanos(self.full_until.load(Ordering::Relaxed)) {
            return None;
        }
        let evicted = self.spare(now);
        if evicted.is_none() {
            self.full_until.store(now.after(FULL_FOR).as_nanos(), Ordering::Relaxed);
        }
        evicted
    }

    /// The place of the least recently used handle that can be evicted.
    fn spare(&self, now: Timestamp) -> Option<Reserved<'_>> {
        // How many handles of each shard are needed. If all of them are, the shard is done with: the handles examined
        // must not come up again, even if all the others were used at this very moment.
        let mut needed = [0; SHARDS];
        for _ in 0..LOOKS {
            let first = |(index, CacheAligned(shard)): (usize, &CacheAligned<Mutex<Shard<K, H>>>)| {
                let (used, len) = shard.lock().oldest_use()?;
                (needed[index] < len).then_some((used, index))
            };
            let (_, index) = self.shards.iter().enumerate().filter_map(first).min()?;
            let evicted = self.shards[index].0.lock().spare(now, |handle| handle.idleness(&self.template, now));
            match evicted {
                Eviction::Gone(gone) => {
                    drop(gone);
                    // Its place is ours.
                    return Some(self.stats.evicted_for_capacity());
                }
                Eviction::Needed => needed[index] += 1,
                Eviction::Marked | Eviction::Nothing => {}
            }
        }
        None
    }
}

impl<K, H: KeyedHandle> fmt::Debug for Keyed<K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("name", self.name())
            .field("handles", &self.len())
            .field("max", &self.0.stats.max)
            .finish_non_exhaustive()
    }
}
