#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request or a job can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

mod error;
mod key;
mod machine;
mod memory;
mod record;
pub mod store;

pub use error::LedgerError;
pub use key::Key;
pub use memory::Memory;
pub use record::{Entry, EntryState, Kept, Record};
pub use seaworthy_store::{ErrorClass, StoreError};
pub use store::{Held, LedgerStore};
