use std::collections::BTreeMap;

use bytes::Bytes;

/// The results of the steps of a row's work, by their names.
#[derive(Debug, Default)]
pub(crate) struct Steps(BTreeMap<Box<str>, Bytes>);

impl Steps {
    pub(super) fn get(&self, name: &str) -> Option<&Bytes> {
        self.0.get(name)
    }

    /// What is stored now: whoever was first.
    pub(super) fn keep(&mut self, name: &str, result: &Bytes) -> Bytes {
        if let Some(stored) = self.0.get(name) {
            return stored.clone();
        }
        self.0.insert(name.into(), result.clone());
        result.clone()
    }
}
