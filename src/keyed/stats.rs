use crate::name::Name;
use crate::observe::event::{EvictionCause, KeyedEvent};
use crate::observe::notifier::Notifier;
use crate::observe::source::{ObserverCache, Source};
use crate::rt::sync::{AtomicU64, Ordering};

/// How many handles a family has and had, and who is notified.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) name: Name,
    pub(super) max: u32,
    notifier: Notifier,
    cache: ObserverCache,
    /// Handles, and places reserved for those being made.
    places: AtomicU64,
    created: AtomicU64,
    evicted_idle: AtomicU64,
    evicted_for_capacity: AtomicU64,
    overflowed: AtomicU64,
    /// 1 from the first key for which there was no room, until there is a place without evicting another key.
    exhausted: AtomicU64,
}

/// The handles of a family at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many handles there are, including those being made.
    pub handles: u64,
    /// How many there may be.
    pub max: u32,
    /// How many were created; it only increases, as do the counts that follow.
    pub created: u64,
    /// How many were evicted because they had been idle.
    pub evicted_idle: u64,
    /// How many were evicted before that to make room for another key. If this grows, `max` is too small.
    pub evicted_for_capacity: u64,
    /// How often there was no room for a key, and it got the overflow.
    pub overflowed: u64,
}

/// A place for a handle; released unless it is filled.
pub(super) struct Reserved<'a>(&'a Stats);

impl Reserved<'_> {
    /// The handle now exists.
    pub(super) fn fill(self) {
        let Reserved(stats) = self;
        std::mem::forget(self);
        stats.created.fetch_add(1, Ordering::Relaxed);
        stats.notifier.notify_of_calls(|| KeyedEvent::Added { name: &stats.name, source: stats.about() });
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.places.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stats {
    pub(super) fn new(name: Name, max: u32, notifier: Notifier) -> Stats {
        let cache = ObserverCache::default();
        notifier.notify_of_calls(|| KeyedEvent::Built { name: &name, source: Source::new(None, &cache), max });
        Stats {
            cache,
            name,
            max,
            notifier,
            places: AtomicU64::new(0),
            created: AtomicU64::new(0),
            evicted_idle: AtomicU64::new(0),
            evicted_for_capacity: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
        }
    }

    fn about(&self) -> Source<'_> {
        Source::new(None, &self.cache)
    }

    pub(super) fn handles(&self) -> u64 {
        self.places.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Snapshot {
            handles: read(&self.places),
            max: self.max,
            created: read(&self.created),
            evicted_idle: read(&self.evicted_idle),
            evicted_for_capacity: read(&self.evicted_for_capacity),
            overflowed: read(&self.overflowed),
        }
    }

    /// A free place.
    pub(super) fn reserve(&self) -> Option<Reserved<'_>> {
        let room = |places: u64| (places < u64::from(self.max)).then_some(places + 1);
        self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        if self.exhausted.load(Ordering::Relaxed) != 0 {
            self.exhausted.store(0, Ordering::Relaxed);
        }
        Some(Reserved(self))
    }

    /// A handle was evicted for another key, which gets its place.
    pub(super) fn evicted_for_capacity(&self) -> Reserved<'_> {
        self.evicted_for_capacity.fetch_add(1, Ordering::Relaxed);
        let reserved = Reserved(self);
        self.notify_evicted(1, EvictionCause::Capacity);
        reserved
    }

    /// This many were evicted because they had been idle.
    pub(super) fn evicted_idle(&self, count: u64) {
        self.places.fetch_sub(count, Ordering::Relaxed);
        self.evicted_idle.fetch_add(count, Ordering::Relaxed);
        self.notify_evicted(count, EvictionCause::Idle);
    }

    pub(super) fn removed(&self) {
        self.places.fetch_sub(1, Ordering::Relaxed);
        self.notify_evicted(1, EvictionCause::Removed);
    }

    fn notify_evicted(&self, count: u64, cause: EvictionCause) {
        self.notifier.notify_of_calls(|| KeyedEvent::Evicted { name: &self.name, source: self.about(), count, cause });
    }

    /// There was no room for a key.
    pub(super) fn overflowed(&self) {
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        let (name, source) = (&self.name, self.about());
        if self.exhausted.load(Ordering::Relaxed) == 0 && self.exhausted.swap(1, Ordering::Relaxed) == 0 {
            self.notifier.notify(KeyedEvent::Exhausted { name, source, max: self.max });
        }
        self.notifier.notify_of_calls(|| KeyedEvent::Overflowed { name, source });
    }
}

impl Drop for Stats {
    fn drop(&mut self) {
        let (name, source, max, handles) = (&self.name, self.about(), self.max, self.handles());
        self.notifier.notify_of_calls(|| KeyedEvent::Dropped { name, source, max, handles });
    }
}
