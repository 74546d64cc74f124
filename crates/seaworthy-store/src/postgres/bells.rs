use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

/// Rings when something was told to those who wait: by this process, or by the server.
///
/// # Clone
/// Costs a reference count; clones are the same bell.
#[derive(Clone, Debug)]
pub struct Bell(Arc<watch::Sender<u64>>);

impl Bell {
    /// Rings it.
    pub fn ring(&self) {
        self.0.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// How often it has rung.
    #[must_use]
    pub fn heard(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until it has rung another number of times.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn rung_since(&self, heard: u64) {
        let mut rings = self.0.subscribe();
        // The sender is alive: it is `self`.
        let _rung = rings.wait_for(|times| *times != heard).await;
    }
}

/// The bells of one store by what is told, for as long as somebody has one.
#[derive(Debug, Default)]
pub(super) struct Bells(Mutex<HashMap<Box<str>, Weak<watch::Sender<u64>>>>);

impl Bells {
    pub(super) fn get(&self, payload: &str) -> Bell {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|_, bell| bell.strong_count() > 0);
        if let Some(bell) = bells.get(payload).and_then(Weak::upgrade) {
            return Bell(bell);
        }
        let bell = Arc::new(watch::Sender::new(0));
        bells.insert(payload.into(), Arc::downgrade(&bell));
        Bell(bell)
    }

    pub(super) fn ring(&self, payload: &str) {
        let bell = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payload).and_then(Weak::upgrade);
        if let Some(bell) = bell {
            Bell(bell).ring();
        }
    }

    /// Something may have been missed.
    pub(super) fn ring_all(&self) {
        let all: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade).collect();
        for bell in all {
            Bell(bell).ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QU-52: those who have a bell of one name hear the same, and nobody hears another's; one that nobody has is gone.
    #[tokio::test]
    async fn bells() {
        let bells = Bells::default();
        let (one, same, other) = (bells.get("a"), bells.get("a"), bells.get("b"));
        bells.ring("a");
        same.ring();
        one.rung_since(0).await;
        assert_eq!([one.heard(), same.heard(), other.heard()], [2, 2, 0]);
        bells.ring_all();
        other.rung_since(0).await;
        assert_eq!([one.heard(), same.heard(), other.heard()], [3, 3, 1]);
        drop(other);
        assert_eq!(bells.get("b").heard(), 0);
        assert_eq!(bells.0.lock().unwrap().len(), 2);
    }
}
