use std::error::Error;
use std::fmt;
use std::sync::Arc;

use seaworthy::{BoxError, ConfigError, Name};
use seaworthy_store::{ErrorClass, StoreError};

use crate::epoch::Epoch;

/// Why an election gave no answer.
///
/// # Clone
/// Costs a reference count at most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ElectionError {
    /// The store's error. If it is [`Unavailable`](ErrorClass::Unavailable) whether it did what it was asked is
    /// unknown, and asking again is safe.
    Store(Arc<StoreError>),
    /// A name that cannot be used; the store was not asked.
    Request(ConfigError),
    /// What the elector does in the background was ended from outside, because its runtime has shut down.
    Stopped,
}

impl ElectionError {
    /// The class of the store's error, if it is one.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            ElectionError::Store(error) => Some(error.class()),
            ElectionError::Request(_) | ElectionError::Stopped => None,
        }
    }

    /// Whether the store could not be asked, so that asking again later is right.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.class() == Some(ErrorClass::Unavailable)
    }
}

impl fmt::Display for ElectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElectionError::Store(error) => write!(f, "election: {error}"),
            ElectionError::Request(error) => error.fmt(f),
            ElectionError::Stopped => f.write_str("election: its runtime has shut down"),
        }
    }
}

impl Error for ElectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its text is in ours.
            ElectionError::Store(error) => error.source(),
            ElectionError::Request(_) | ElectionError::Stopped => None,
        }
    }
}

impl From<ConfigError> for ElectionError {
    fn from(error: ConfigError) -> ElectionError {
        ElectionError::Request(error)
    }
}

impl From<StoreError> for ElectionError {
    fn from(error: StoreError) -> ElectionError {
        ElectionError::Store(Arc::new(error))
    }
}

/// Why a transaction is not [guarded](crate::Term::guard).
#[derive(Debug)]
#[non_exhaustive]
pub enum FenceError {
    /// The term is over: what leads now, if anybody does, has another epoch.
    Over {
        /// What was led.
        name: Name,
        /// The term's.
        epoch: Epoch,
    },
    /// The store failed.
    Store(StoreError),
}

impl FenceError {
    /// Whether the term is over, so that nothing may be written.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, FenceError::Over { .. })
    }
}

impl fmt::Display for FenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FenceError::Over { name, epoch } => write!(f, "the term of {name} with epoch {epoch} is over"),
            FenceError::Store(error) => write!(f, "election: {error}"),
        }
    }
}

impl Error for FenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FenceError::Over { .. } => None,
            // Its text is in ours.
            FenceError::Store(error) => error.source(),
        }
    }
}

impl From<StoreError> for FenceError {
    fn from(error: StoreError) -> FenceError {
        FenceError::Store(error)
    }
}

/// Why a [`LeaderGuard`](crate::LeaderGuard) gave up.
#[derive(Debug)]
#[non_exhaustive]
pub enum GuardError {
    /// The store refused at the first contact, or the name cannot be used.
    Election(ElectionError),
    /// A setting of the guard cannot be used.
    Config(ConfigError),
    /// The work failed: once more than it may be started again, or while the shutdown was under way.
    Work(BoxError),
    /// The work panicked, with this text: once more than it may be started again, or while the shutdown was under way.
    Panicked(String),
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuardError::Election(error) => error.fmt(f),
            GuardError::Config(error) => error.fmt(f),
            GuardError::Work(_) => f.write_str("the leader's work failed"),
            GuardError::Panicked(text) => write!(f, "the leader's work panicked: {text}"),
        }
    }
}

impl Error for GuardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Their texts are in ours.
            GuardError::Election(error) => error.source(),
            GuardError::Config(error) => error.source(),
            GuardError::Work(error) => Some(&**error),
            GuardError::Panicked(_) => None,
        }
    }
}
