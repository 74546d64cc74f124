use std::error::Error;
use std::fmt;

use seaworthy::ConfigError;
use seaworthy_store::StoreError;

/// Why a consumer gave up.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerError {
    /// A setting cannot be used.
    Config(ConfigError),
    /// The store refused at the first contact.
    Store(StoreError),
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConsumerError::Config(error) => error.fmt(f),
            ConsumerError::Store(error) => write!(f, "queue: {error}"),
        }
    }
}

impl Error for ConsumerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Their texts are in ours.
            ConsumerError::Config(error) => error.source(),
            ConsumerError::Store(error) => error.source(),
        }
    }
}
