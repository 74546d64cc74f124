use hashbrown::HashTable;

use crate::machine::keyed::idleness::Idleness;
use crate::machine::timestamp::Timestamp;

/// A part of the handles, by key and in the order in which they were used.
///
/// It is given the time, and asks its caller about each handle's state. What leaves it is returned, to be dropped
/// outside the lock, because dropping a key may run any code.
#[derive(Debug)]
pub(super) struct Shard<K, H> {
    /// Places in `entries`, by the hash of the key.
    table: HashTable<u32>,
    entries: Vec<Option<KeyEntry<K, H>>>,
    free: Vec<u32>,
    queues: [IdleQueue; 3],
}

#[derive(Debug)]
struct KeyEntry<K, H> {
    key: K,
    handle: H,
    hash: u64,
    /// When it was last looked up, or last found in use.
    used: Timestamp,
    /// When it entered its queue.
    since: Timestamp,
    stage: IdleStage,
    before: u32,
    after: u32,
}

/// The queues; the first of each has been in it the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdleStage {
    /// Recently looked up, or found in use.
    Active,
    /// Found idle after the idle time; evicted if found idle again.
    Resting,
    /// Found idle but marked; evicted in the same way, but not sooner for another key.
    Marked,
}

const STAGES: [IdleStage; 3] = [IdleStage::Active, IdleStage::Resting, IdleStage::Marked];

#[derive(Debug)]
struct IdleQueue {
    first: u32,
    last: u32,
    len: u32,
}

/// Means no place.
const NONE: u32 = u32::MAX;

/// The result of looking for a handle to evict.
pub(super) enum Eviction<K, H> {
    Gone((K, H)),
    /// The first is needed, and is now the last.
    Needed,
    /// The first is worth more than a new one, and has been set aside.
    Marked,
    Nothing,
}

impl<K, H> Shard<K, H> {
    pub(super) fn new() -> Shard<K, H> {
        let queues = [(); 3].map(|()| IdleQueue { first: NONE, last: NONE, len: 0 });
        Shard { table: HashTable::new(), entries: Vec::new(), free: Vec::new(), queues }
    }

    fn entry(&self, place: u32) -> Option<&KeyEntry<K, H>> {
        self.entries.get(place as usize)?.as_ref()
    }

    fn entry_mut(&mut self, place: u32) -> Option<&mut KeyEntry<K, H>> {
        self.entries.get_mut(place as usize)?.as_mut()
    }

    fn find(&self, hash: u64, mut is_it: impl FnMut(&K) -> bool) -> Option<u32> {
        let is_there = |place: &u32| self.entry(*place).is_some_and(|entry| entry.hash == hash && is_it(&entry.key));
        self.table.find(hash, is_there).copied()
    }

    /// The handle of a key; this counts as use.
    pub(super) fn ask(&mut self, hash: u64, is_it: impl FnMut(&K) -> bool, now: Timestamp) -> Option<&H> {
        let place = self.find(hash, is_it)?;
        self.use_now(place, now);
        self.entry(place).map(|entry| &entry.handle)
    }

    /// Adds a new key.
    pub(super) fn add(&mut self, hash: u64, key: K, handle: H, now: Timestamp) {
        let entry =
            KeyEntry { key, handle, hash, used: now, since: now, stage: IdleStage::Active, before: NONE, after: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = Some(entry);
                place
            }
            None => {
                self.entries.push(Some(entry));
                // There are never more than a million.
                (self.entries.len() - 1) as u32
            }
        };
        let entries = &self.entries;
        let hash_of = |place: &u32| entries[*place as usize].as_ref().map_or(0, |entry| entry.hash);
        self.table.insert_unique(hash, place, hash_of);
        self.append(place, IdleStage::Active, now);
    }

    pub(super) fn remove(&mut self, hash: u64, is_it: impl FnMut(&K) -> bool) -> Option<(K, H)> {
        let place = self.find(hash, is_it)?;
        self.take(place)
    }

    fn take(&mut self, place: u32) -> Option<(K, H)> {
        self.unlink(place);
        let entry = self.entries.get_mut(place as usize)?.take()?;
        if let Ok(found) = self.table.find_entry(entry.hash, |known| *known == place) {
            found.remove();
        }
        self.free.push(place);
        Some((entry.key, entry.handle))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (&K, &H)> {
        self.entries.iter().flatten().map(|entry| (&entry.key, &entry.handle))
    }

    /// Examines the first handle of each queue whose time has come, and returns those that are evicted.
    pub(super) fn expire_due(
        &mut self,
        idle_since: impl Fn(Timestamp) -> bool,
        now: Timestamp,
        mut idleness: impl FnMut(&mut H) -> Idleness,
    ) -> [Option<(K, H)>; 3] {
        STAGES.map(|stage| {
            let place = self.queues[stage as usize].first;
            let entry = self.entry_mut(place)?;
            if !idle_since(entry.since) {
                return None;
            }
            match (stage, idleness(&mut entry.handle)) {
                (_, Idleness::InUse) => self.use_now(place, now),
                (IdleStage::Active, Idleness::Idle) => self.move_to(place, IdleStage::Resting, now),
                (IdleStage::Active | IdleStage::Resting, Idleness::Marked) => {
                    self.move_to(place, IdleStage::Marked, now);
                }
                (IdleStage::Resting | IdleStage::Marked, Idleness::Idle) | (IdleStage::Marked, Idleness::Marked) => {
                    return self.take(place);
                }
            }
            None
        })
    }

    /// Whether [`Shard::expire_due`] would find something to do.
    pub(super) fn is_due(&self, idle_since: impl Fn(Timestamp) -> bool) -> bool {
        self.queues.iter().filter_map(|queue| self.entry(queue.first)).any(|entry| idle_since(entry.since))
    }

    /// The least recently used, not counting those that are marked.
    fn oldest(&self) -> Option<(u32, &KeyEntry<K, H>)> {
        let first = |stage: IdleStage| {
            let place = self.queues[stage as usize].first;
            self.entry(place).map(|entry| (place, entry))
        };
        // What is resting was last used before anything active.
        first(IdleStage::Resting).or_else(|| first(IdleStage::Active))
    }

    /// When that one was used, and how many handles are in its queues.
    pub(super) fn oldest_use(&self) -> Option<(Timestamp, u32)> {
        let len = |stage: IdleStage| self.queues[stage as usize].len;
        self.oldest().map(|(_, entry)| (entry.used, len(IdleStage::Resting) + len(IdleStage::Active)))
    }

    /// Evicts the least recently used, if it can go.
    pub(super) fn spare(&mut self, now: Timestamp, idleness: impl FnOnce(&mut H) -> Idleness) -> Eviction<K, H> {
        let Some((place, _)) = self.oldest() else { return Eviction::Nothing };
        let Some(entry) = self.entry_mut(place) else { return Eviction::Nothing };
        match idleness(&mut entry.handle) {
            Idleness::InUse => {
                self.use_now(place, now);
                Eviction::Needed
            }
            Idleness::Marked => {
                self.move_to(place, IdleStage::Marked, now);
                Eviction::Marked
            }
            Idleness::Idle => self.take(place).map_or(Eviction::Nothing, Eviction::Gone),
        }
    }

    fn use_now(&mut self, place: u32, now: Timestamp) {
        if let Some(entry) = self.entry_mut(place) {
            entry.used = now;
        }
        self.move_to(place, IdleStage::Active, now);
    }

    fn move_to(&mut self, place: u32, stage: IdleStage, now: Timestamp) {
        let queue = &self.queues[stage as usize];
        if queue.last == place {
            // Used again and again as the only one, it is already in its place.
            if let Some(entry) = self.entry_mut(place) {
                entry.since = now;
            }
            return;
        }
        self.unlink(place);
        self.append(place, stage, now);
    }

    fn unlink(&mut self, place: u32) {
        let Some(entry) = self.entry(place) else { return };
        let (stage, before, after) = (entry.stage, entry.before, entry.after);
        self.queues[stage as usize].len -= 1;
        match self.entry_mut(before) {
            Some(entry) => entry.after = after,
            None => self.queues[stage as usize].first = after,
        }
        match self.entry_mut(after) {
            Some(entry) => entry.before = before,
            None => self.queues[stage as usize].last = before,
        }
    }

    fn append(&mut self, place: u32, stage: IdleStage, now: Timestamp) {
        let queue = &mut self.queues[stage as usize];
        queue.len += 1;
        let last = std::mem::replace(&mut queue.last, place);
        if let Some(entry) = self.entry_mut(place) {
            (entry.stage, entry.since, entry.before, entry.after) = (stage, now, last, NONE);
        }
        match self.entry_mut(last) {
            Some(entry) => entry.after = place,
            None => self.queues[stage as usize].first = place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KY-05: the places of evicted handles are reused, so that keys that come and go cost no memory.
    #[test]
    fn ky_05_places_are_used_again() {
        let (mut shard, now) = (Shard::new(), Timestamp::from_nanos(1));
        for round in 0..100_u64 {
            for key in [3 * round, 3 * round + 1] {
                shard.add(key, key, (), now);
            }
            assert_eq!(shard.each().count(), 2);
            for key in [3 * round, 3 * round + 1] {
                assert_eq!(shard.remove(key, |known| *known == key), Some((key, ())));
            }
        }
        assert_eq!((shard.entries.len(), shard.free.len(), shard.table.len()), (2, 2, 0));
    }
}
