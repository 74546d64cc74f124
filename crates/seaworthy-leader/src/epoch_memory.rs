use std::error::Error;
use std::fmt;
use std::future::{Future, Ready, ready};

use seaworthy::Name;
use seaworthy_store::StoreError;

use crate::epoch::Epoch;
use crate::fence::{Epochs, StaleEpoch};

/// Remembers the highest epoch of each name for an [`EpochLayer`](crate::EpochLayer), and refuses older ones:
/// [`Epochs`] in memory, or a table in a store.
///
/// # Clone
/// Clones remember the same.
pub trait EpochMemory: Clone + Send + Sync + 'static {
    /// What [`remember`](Self::remember) gives.
    type Answer: Future<Output = Result<(), EpochError>> + Send;

    /// Accepts an epoch that is as high as the highest before, or higher, which is the highest then. Of two that are
    /// asked for at the same time the lower one is never accepted after the higher one.
    fn remember(&self, name: &Name, epoch: Epoch) -> Self::Answer;
}

impl EpochMemory for Epochs {
    type Answer = Ready<Result<(), EpochError>>;

    fn remember(&self, name: &Name, epoch: Epoch) -> Self::Answer {
        ready(self.accept(name.clone(), epoch).map_err(EpochError::Stale))
    }
}

/// Why an epoch was not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum EpochError {
    /// It is older than one that was accepted before.
    Stale(StaleEpoch),
    /// The store failed.
    Store(StoreError),
}

impl EpochError {
    /// Whether it is older than one that was accepted before, so that whoever sent it leads no more.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, EpochError::Stale(_))
    }
}

impl fmt::Display for EpochError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EpochError::Stale(stale) => stale.fmt(f),
            EpochError::Store(error) => write!(f, "epochs: {error}"),
        }
    }
}

impl Error for EpochError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            EpochError::Stale(_) => None,
            // Its text is in ours.
            EpochError::Store(error) => error.source(),
        }
    }
}

impl From<StoreError> for EpochError {
    fn from(error: StoreError) -> EpochError {
        EpochError::Store(error)
    }
}
