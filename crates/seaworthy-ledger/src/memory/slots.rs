use std::collections::hash_map::Entry;

use crate::key::Key;
use crate::key_map::KeyMap;
use crate::machine::Row;

/// The rows. Large as they are, they stay where they are while the index by keys grows, and whoever has a row's place
/// finds it without its key.
#[derive(Debug, Default)]
pub(super) struct Slots {
    index: KeyMap<usize>,
    slots: Vec<Option<Slot>>,
    /// Those that are empty. The last that became so is taken first, because it is the one in the cache.
    free: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Slot {
    key: Key,
    pub(super) row: Row,
    /// The number of its last settling: tells rows apart whose retention ends at the same moment.
    pub(super) settling: u64,
}

pub(super) enum Found {
    There(usize),
    Added(usize),
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// Where the row of a key is; if there is none, where that is which `new` makes.
    pub(super) fn find_or_add(&mut self, key: &Key, new: impl FnOnce() -> Row) -> Found {
        match self.index.entry(key.clone()) {
            Entry::Occupied(occupied) => Found::There(*occupied.get()),
            Entry::Vacant(vacant) => {
                let slot = Some(Slot { key: key.clone(), row: new(), settling: 0 });
                let at = match self.free.pop() {
                    Some(at) => at,
                    None => {
                        self.slots.push(None);
                        self.slots.len() - 1
                    }
                };
                if let Some(free) = self.slots.get_mut(at) {
                    *free = slot;
                }
                vacant.insert(at);
                Found::Added(at)
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slot> {
        self.slots.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Slot> {
        self.slots.get_mut(at)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<Slot> {
        let slot = self.slots.get_mut(at)?.take()?;
        self.index.remove(&slot.key);
        self.free.push(at);
        Some(slot)
    }
}
