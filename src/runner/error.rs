use std::io;

use super::signal::Signal;
use crate::error::ConfigError;
use crate::name::Name;

/// Why a runner could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It was built outside a tokio runtime, so tasks have nowhere to run.
    #[error("a runner must be built inside a tokio runtime")]
    NoRuntime,
    /// The operating system refused to deliver this signal.
    #[error("cannot listen to {signal}")]
    #[non_exhaustive]
    Signal {
        /// The signal.
        signal: Signal,
        /// The system's error.
        source: io::Error,
    },
}

/// Why a task or a hook was refused. It was dropped and will not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// It came too late: the shutdown has begun.
    #[error("`{name}` came too late: the shutdown has begun")]
    #[non_exhaustive]
    ShuttingDown {
        /// The name of the task or hook.
        name: Name,
    },
    /// One of its settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
