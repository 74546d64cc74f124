#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request or a job can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

pub mod error;
pub mod limit;
pub mod micros;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
pub mod process_name;
pub mod random;
pub mod retry_wait;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod schema;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
pub mod table_names;
pub mod tasks;
pub mod time;

pub use error::{ErrorClass, StoreError};
pub use table_names::TableNames;
