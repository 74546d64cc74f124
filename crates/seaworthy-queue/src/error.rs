use std::error::Error;
use std::fmt;
use std::sync::Arc;

use seaworthy::{BoxError, ConfigError};
use seaworthy_store::{ErrorClass, StoreError};

/// Why a job was not accepted, or a question about one has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueueError {
    /// Its body is longer than the queue takes.
    TooLarge {
        /// In bytes.
        len: usize,
        /// The most that the queue takes.
        most: usize,
    },
    /// Its body cannot be written as JSON.
    Encode(BoxError),
    /// The store's error. If it is [`Unavailable`](ErrorClass::Unavailable) it is unknown whether the store did what it
    /// was asked: ask again, a job under the same id.
    Store(Arc<StoreError>),
    /// What cannot be asked; the store was not.
    Request(ConfigError),
}

impl QueueError {
    /// The class of the store's error, if it is one.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            QueueError::Store(error) => Some(error.class()),
            QueueError::TooLarge { .. } | QueueError::Encode(_) | QueueError::Request(_) => None,
        }
    }

    /// Whether the store could not be asked, so that asking again later is right.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.class() == Some(ErrorClass::Unavailable)
    }

    /// Whether there is no room for another job.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.class() == Some(ErrorClass::Full)
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueError::TooLarge { len, most } => write!(f, "queue: a body of {len} bytes, where {most} are the most"),
            QueueError::Encode(error) => write!(f, "queue: a body that cannot be written: {error}"),
            QueueError::Store(error) => write!(f, "queue: {error}"),
            QueueError::Request(error) => error.fmt(f),
        }
    }
}

impl Error for QueueError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Their texts are in ours.
            QueueError::Encode(error) => error.source(),
            QueueError::Store(error) => error.source(),
            QueueError::TooLarge { .. } | QueueError::Request(_) => None,
        }
    }
}

impl From<StoreError> for QueueError {
    fn from(error: StoreError) -> QueueError {
        QueueError::Store(Arc::new(error))
    }
}

impl From<ConfigError> for QueueError {
    fn from(error: ConfigError) -> QueueError {
        QueueError::Request(error)
    }
}
