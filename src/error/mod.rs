pub(crate) mod chain;
pub(crate) mod check;
mod compact;
mod config_error;
pub(crate) mod did_you_mean;
pub(crate) mod one_line;
mod rejected;
mod stack_error;
mod typed;
pub(crate) mod wrap;

use std::error::Error as StdError;

pub use compact::{RetryAfter, TimeLimit};
pub use config_error::ConfigError;
pub(crate) use rejected::StoredRejection;
pub use rejected::{DeadlineStage, Rejected};
pub use stack_error::StackError;
pub use typed::Error;

/// A boxed error that can be sent and shared; the usual error type of a tower stack.
pub type BoxError = Box<dyn StdError + Send + Sync>;
