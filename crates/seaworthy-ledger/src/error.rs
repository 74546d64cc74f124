use std::error::Error;
use std::fmt;

use seaworthy::ConfigError;
use seaworthy_store::{ErrorClass, StoreError};

/// Why the ledger gave no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store's error. If it is [`Unavailable`](ErrorClass::Unavailable) whether it did what it was asked is
    /// unknown; to ask again is safe, and so is not to.
    Store(StoreError),
    /// A setting of the request cannot be used; the store was not asked.
    Request(ConfigError),
    /// A result, or the result of a step, is larger than `max_result`.
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl LedgerError {
    /// The class of the store's error, if it is one.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            LedgerError::Store(error) => Some(error.class()),
            LedgerError::Request(_) | LedgerError::TooLarge { .. } => None,
        }
    }

    /// Whether the store could not be asked, so that asking again later is right.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.class() == Some(ErrorClass::Unavailable)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LedgerError::Store(error) => write!(f, "ledger: {error}"),
            LedgerError::Request(error) => write!(f, "{error}"),
            LedgerError::TooLarge { size, limit } => {
                write!(f, "ledger: a result of {size} bytes is larger than max_result, {limit} bytes")
            }
        }
    }
}

impl Error for LedgerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its text is in ours.
            LedgerError::Store(error) => error.source(),
            LedgerError::Request(_) | LedgerError::TooLarge { .. } => None,
        }
    }
}

impl From<ConfigError> for LedgerError {
    fn from(error: ConfigError) -> LedgerError {
        LedgerError::Request(error)
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> LedgerError {
        LedgerError::Store(error)
    }
}
