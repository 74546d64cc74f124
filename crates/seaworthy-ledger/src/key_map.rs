//! Maps by key. A key has its hash with it, because each claim looks it up half a dozen times.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;

use crate::key::Key;

pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Hashed>>;

/// One for the process: keys come from strangers, who must not be able to choose where they end up.
static RANDOM: LazyLock<RandomState> = LazyLock::new(RandomState::new);

pub(crate) fn hash_of(text: &str) -> u64 {
    RANDOM.hash_one(text)
}

/// Gives the hash that it is given.
#[derive(Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Never of a key; any other hash would do.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
