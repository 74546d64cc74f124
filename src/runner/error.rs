use std::io;

use super::signal::Signal;
use crate::error::ConfigError;
use crate::name::Name;

/// Why there is no runner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It was built outside of a tokio runtime, and tasks have nowhere to run.
    #[error("a runner must be built inside of a tokio runtime")]
    NoRuntime,
    /// The operating system refused to pass this signal on.
    #[error("cannot listen to {signal}")]
    #[non_exhaustive]
    Signal {
        /// Which.
        signal: Signal,
        /// Why.
        source: io::Error,
    },
}

/// Why a task or a hook was not taken. It was dropped and will not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// It came too late: the shutdown has begun.
    #[error("`{name}` came too late: the shutdown has begun")]
    #[non_exhaustive]
    ShuttingDown {
        /// Its name.
        name: Name,
    },
    /// One of its settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
