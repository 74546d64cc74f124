use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use seaworthy::{BoxError, ConfigError, Error};

use crate::error::LedgerError;

/// Why a request got no answer from the inner service: an error that an
/// [`IdempotencyLayer`](crate::IdempotencyLayer) adds to its stack's.
///
/// A [`BoxError`] can hold it, and so can the core's [`Error<E>`](Error) where `E` can. An error type of your own needs
/// a variant with `#[from] IdempotencyError`.
///
/// For all but [`Lost`](Self::Lost) the inner service was not called.
#[derive(Debug)]
#[non_exhaustive]
pub enum IdempotencyError {
    /// Somebody else is at it.
    Busy {
        /// To the end of their lease, by the store's clock: at least 10 ms, at most the lease.
        retry_in: Duration,
    },
    /// The key stands for another request: the fingerprints differ.
    Mismatch,
    /// The ledger gave no answer, or refused. See [`OnDown`](crate::OnDown).
    LedgerDown(LedgerError),
    /// The claim was lost while the inner service was at work, which was stopped: what it has done is unknown, and
    /// nothing was recorded. Or it had answered, but somebody else has the key by now, and theirs is the answer that
    /// counts.
    Lost,
    /// It was done before, and failed for good.
    FailedBefore {
        /// The text of the error.
        reason: Box<str>,
    },
    /// It was done before, and the answer was not kept.
    NotKept,
    /// It was done before, and the answer that is kept cannot be decoded.
    Corrupt {
        /// What the codec said.
        error: BoxError,
    },
    /// What was to be claimed cannot be: the key, or a setting of the claim. The store was not asked.
    Request(ConfigError),
}

impl From<LedgerError> for IdempotencyError {
    fn from(error: LedgerError) -> IdempotencyError {
        match error {
            LedgerError::Request(error) => IdempotencyError::Request(error),
            error => IdempotencyError::LedgerDown(error),
        }
    }
}

/// As the error of the inner service, because to the layers above that is what this layer is.
impl<E: From<IdempotencyError>> From<IdempotencyError> for Error<E> {
    fn from(error: IdempotencyError) -> Error<E> {
        Error::Inner(error.into())
    }
}

impl fmt::Display for IdempotencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdempotencyError::Busy { retry_in } => write!(f, "already being done; ask again in {retry_in:?}"),
            IdempotencyError::Mismatch => f.write_str("the key was used for another request"),
            IdempotencyError::LedgerDown(error) => error.fmt(f),
            IdempotencyError::Lost => f.write_str("the claim was lost"),
            IdempotencyError::FailedBefore { reason } => write!(f, "failed before: {reason}"),
            IdempotencyError::NotKept => f.write_str("already done, and the answer was not kept"),
            IdempotencyError::Corrupt { .. } => f.write_str("already done, and the answer that is kept cannot be read"),
            IdempotencyError::Request(error) => error.fmt(f),
        }
    }
}

impl StdError for IdempotencyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            // Their texts are in ours.
            IdempotencyError::LedgerDown(error) => error.source(),
            IdempotencyError::Request(error) => error.source(),
            IdempotencyError::Corrupt { error } => Some(&**error),
            _ => None,
        }
    }
}
