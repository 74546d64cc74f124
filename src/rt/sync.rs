//! The only file that knows of loom: atomics, locks and the identity of threads, its own under the model checker and
//! std's elsewhere.

#[cfg(seaworthy_loom)]
use loom::sync as imp;
#[cfg(not(seaworthy_loom))]
use std::sync as imp;

#[cfg(seaworthy_loom)]
pub(crate) use loom::thread;
#[cfg(not(seaworthy_loom))]
pub(crate) use std::thread;

pub(crate) use imp::MutexGuard;
#[cfg(feature = "metrics")]
pub(crate) use imp::RwLock;
#[cfg(feature = "metrics")]
pub(crate) use imp::atomic::fence;
pub(crate) use imp::atomic::{AtomicU64, Ordering};

/// A mutex that cannot be poisoned: nothing that is done under a lock in this crate runs foreign code, and a machine is
/// whole after each of its steps.
#[derive(Debug)]
pub(crate) struct Mutex<T>(imp::Mutex<T>);

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(imp::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
