#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

mod channel;
mod classifier;
mod deadline;
mod error;
mod health;
mod status;

pub use channel::{ChannelFuture, ChannelLayer, ChannelService};
pub use classifier::TonicClassifier;
pub use deadline::DeadlineInterceptor;
pub use error::TonicError;
pub use health::TonicHealth;
pub use status::{rejected_of, status_of};
