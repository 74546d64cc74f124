//! The only file that knows of loom: atomics, locks and thread identity, from loom under the model checker and from std
//! elsewhere.

#[cfg(not(seaworthy_loom))]
use std::sync as imp;
#[cfg(not(seaworthy_loom))]
pub(crate) use std::thread;

pub(crate) use imp::MutexGuard;
pub(crate) use imp::atomic::{AtomicU64, Ordering};
#[cfg(feature = "metrics")]
pub(crate) use imp::{RwLock, atomic::fence};
#[cfg(seaworthy_loom)]
use loom::sync as imp;
#[cfg(seaworthy_loom)]
pub(crate) use loom::thread;

/// A mutex that ignores poisoning: a panic under one of this crate's locks leaves what it guards intact.
///
/// A machine is consistent after each of its steps, and almost no foreign code runs under a lock: observers, wakers,
/// checks, probes and the drops of users' values all run outside. The exceptions are an HTTP probe, which clones the
/// user's client, and `Keyed`, which compares keys (`Eq`, `Borrow`; hashing is done before) and, to list its handles,
/// clones the keys. All of these only read what the lock guards, and nothing is changed until they have returned, so
/// that a panic in one releases the lock and leaves everything as it was. What they must not do is use the same handle
/// again: the lock is not reentrant.
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
