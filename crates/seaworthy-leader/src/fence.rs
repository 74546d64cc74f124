use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use seaworthy::Name;

use crate::epoch::Epoch;

/// The fence of a row of your own, as a statement for Postgres and SQLite: the row has an `epoch` beside its data, and
/// a write changes it only under an epoch that is at least as new. One row changed: it was written; none: the writer
/// leads no more, or never did, and must stop.
///
/// ```
/// assert!(seaworthy_leader::FENCE_SQL.contains("epoch <= $2"));
/// ```
pub const FENCE_SQL: &str = "UPDATE my_table SET data = $1, epoch = $2 WHERE id = $3 AND epoch <= $2";

/// Remembers the highest epoch of each name, and refuses older ones: the side of the resource, in memory.
///
/// It is only as good as its uptime: after a restart it takes whatever comes first, an old epoch, too. Where that
/// matters keep the epoch with the data, as [`FENCE_SQL`] does. It remembers every name that it is given.
///
/// ```
/// use seaworthy_leader::{Epoch, Epochs};
///
/// let epochs = Epochs::default();
/// assert!(epochs.accept("scheduler", Epoch::new(7)).is_ok());
/// assert!(epochs.accept("scheduler", Epoch::new(7)).is_ok());
/// assert_eq!(epochs.accept("scheduler", Epoch::new(6)).unwrap_err().newest, Epoch::new(7));
/// assert!(epochs.accept("another", Epoch::new(1)).is_ok());
/// ```
///
/// # Clone
/// Costs a reference count; clones remember the same.
#[derive(Clone, Debug, Default)]
pub struct Epochs(Arc<Mutex<HashMap<Name, Epoch>>>);

/// An epoch that is older than one that was accepted before: whoever sent it leads no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleEpoch {
    /// What was sent.
    pub epoch: Epoch,
    /// The highest that was accepted.
    pub newest: Epoch,
}

impl Epochs {
    /// Accepts an epoch that is as high as the highest before, or higher.
    ///
    /// # Errors
    /// If it is lower; nothing has changed then.
    pub fn accept(&self, name: impl Into<Name>, epoch: Epoch) -> Result<(), StaleEpoch> {
        let name = name.into();
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = epochs.entry(name).or_insert(epoch);
        if epoch < *newest {
            return Err(StaleEpoch { epoch, newest: *newest });
        }
        *newest = epoch;
        Ok(())
    }

    /// The highest that was accepted.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<Epoch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

impl fmt::Display for StaleEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} is over: {} has come", self.epoch, self.newest)
    }
}

impl std::error::Error for StaleEpoch {}
