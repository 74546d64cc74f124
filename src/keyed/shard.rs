use hashbrown::HashTable;

use crate::machine::idleness::Idleness;
use crate::machine::moment::Moment;

/// A part of the handles, by key, and in the order in which they were used.
///
/// It is told the time and what is to be said of a handle. What leaves it is given back, to be dropped outside of the
/// lock: a key may be anybody's code.
#[derive(Debug)]
pub(super) struct Shard<K, H> {
    /// Places in `entries`, by the hash of the key.
    table: HashTable<u32>,
    entries: Vec<Option<Entry<K, H>>>,
    free: Vec<u32>,
    queues: [Queue; 3],
}

#[derive(Debug)]
struct Entry<K, H> {
    key: K,
    handle: H,
    hash: u64,
    /// When it was asked for, or was last found in use.
    used: Moment,
    /// When it came into its queue.
    since: Moment,
    stage: Stage,
    before: u32,
    after: u32,
}

/// The queues, in each of which the first has been there for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It was asked for, or found in use, lately.
    Active,
    /// After so long it was found idle, and goes if it is again.
    Resting,
    /// It was found idle and marked, and goes in the same way, but leaves its place to no other key before.
    Marked,
}

const STAGES: [Stage; 3] = [Stage::Active, Stage::Resting, Stage::Marked];

#[derive(Debug)]
struct Queue {
    first: u32,
    last: u32,
    len: u32,
}

/// Stands for no place.
const NONE: u32 = u32::MAX;

/// What came of looking for something that can be spared.
pub(super) enum Spared<K, H> {
    Gone((K, H)),
    /// The first is needed, and now is the last.
    Needed,
    /// The first is worth more than a new one, and now stands aside.
    Marked,
    Nothing,
}

impl<K, H> Shard<K, H> {
    pub(super) fn new() -> Shard<K, H> {
        let queues = [(); 3].map(|()| Queue { first: NONE, last: NONE, len: 0 });
        Shard { table: HashTable::new(), entries: Vec::new(), free: Vec::new(), queues }
    }

    fn entry(&self, place: u32) -> Option<&Entry<K, H>> {
        self.entries.get(place as usize)?.as_ref()
    }

    fn entry_mut(&mut self, place: u32) -> Option<&mut Entry<K, H>> {
        self.entries.get_mut(place as usize)?.as_mut()
    }

    fn find(&self, hash: u64, mut is_it: impl FnMut(&K) -> bool) -> Option<u32> {
        let is_there = |place: &u32| self.entry(*place).is_some_and(|entry| entry.hash == hash && is_it(&entry.key));
        self.table.find(hash, is_there).copied()
    }

    /// The handle of a key, which is used by this.
    pub(super) fn ask(&mut self, hash: u64, is_it: impl FnMut(&K) -> bool, now: Moment) -> Option<&H> {
        let place = self.find(hash, is_it)?;
        self.use_now(place, now);
        self.entry(place).map(|entry| &entry.handle)
    }

    /// Adds a key that is not there.
    pub(super) fn add(&mut self, hash: u64, key: K, handle: H, now: Moment) {
        let entry = Entry { key, handle, hash, used: now, since: now, stage: Stage::Active, before: NONE, after: NONE };
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
        self.append(place, Stage::Active, now);
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

    /// Looks at the first of each queue whose time has come, and gives back what is forgotten.
    pub(super) fn tend(
        &mut self,
        idle_since: impl Fn(Moment) -> bool,
        now: Moment,
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
                (Stage::Active, Idleness::Idle) => self.move_to(place, Stage::Resting, now),
                (Stage::Active | Stage::Resting, Idleness::Marked) => self.move_to(place, Stage::Marked, now),
                (Stage::Resting | Stage::Marked, Idleness::Idle) | (Stage::Marked, Idleness::Marked) => {
                    return self.take(place);
                }
            }
            None
        })
    }

    /// Whether [`Shard::tend`] would find something to do.
    pub(super) fn is_due(&self, idle_since: impl Fn(Moment) -> bool) -> bool {
        self.queues.iter().filter_map(|queue| self.entry(queue.first)).any(|entry| idle_since(entry.since))
    }

    /// The one that was used least recently, those aside that are marked.
    fn oldest(&self) -> Option<(u32, &Entry<K, H>)> {
        let first = |stage: Stage| {
            let place = self.queues[stage as usize].first;
            self.entry(place).map(|entry| (place, entry))
        };
        // What rests has not been used for longer than what is active.
        first(Stage::Resting).or_else(|| first(Stage::Active))
    }

    /// When that was used, and how many there are of which it is the first.
    pub(super) fn oldest_use(&self) -> Option<(Moment, u32)> {
        let len = |stage: Stage| self.queues[stage as usize].len;
        self.oldest().map(|(_, entry)| (entry.used, len(Stage::Resting) + len(Stage::Active)))
    }

    /// Gives up the one that was used least recently, if it can be spared.
    pub(super) fn spare(&mut self, now: Moment, idleness: impl FnOnce(&mut H) -> Idleness) -> Spared<K, H> {
        let Some((place, _)) = self.oldest() else { return Spared::Nothing };
        let Some(entry) = self.entry_mut(place) else { return Spared::Nothing };
        match idleness(&mut entry.handle) {
            Idleness::InUse => {
                self.use_now(place, now);
                Spared::Needed
            }
            Idleness::Marked => {
                self.move_to(place, Stage::Marked, now);
                Spared::Marked
            }
            Idleness::Idle => self.take(place).map_or(Spared::Nothing, Spared::Gone),
        }
    }

    fn use_now(&mut self, place: u32, now: Moment) {
        if let Some(entry) = self.entry_mut(place) {
            entry.used = now;
        }
        self.move_to(place, Stage::Active, now);
    }

    fn move_to(&mut self, place: u32, stage: Stage, now: Moment) {
        let queue = &self.queues[stage as usize];
        if queue.last == place {
            // It is where it should be, as the only one that is used in a row.
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

    fn append(&mut self, place: u32, stage: Stage, now: Moment) {
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

    /// KY-05: the places of handles that are gone are used again, so that keys that come and go cost no memory.
    #[test]
    fn ky_05_places_are_used_again() {
        let (mut shard, now) = (Shard::new(), Moment::from_nanos(1));
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
