#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request or a job can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod conformance;
mod elector;
mod epoch;
#[cfg(feature = "http")]
mod epoch_layer;
mod epoch_memory;
mod error;
mod event;
mod fence;
mod guard;
pub mod layer;
mod lease_name;
mod local;
mod machine;
mod packed;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
mod settings;
mod sight;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
mod standing;
pub mod store;
mod term;

pub use elector::{Elector, ElectorBuilder, LeaseElector, Pace};
pub use epoch::Epoch;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use epoch_layer::{EPOCH_HEADER, EpochFuture, EpochLayer, EpochService};
pub use epoch_memory::{EpochError, EpochMemory};
pub use error::{ElectionError, FenceError, GuardError};
pub use event::{Event, TermEnd, Why};
pub use fence::{Epochs, FENCE_SQL, StaleEpoch};
pub use guard::{LeaderGuard, LeaderStatus, LeaderWatch, LeadingCheck, StoreCheck};
pub use layer::give_epoch::Fenced;
pub use layer::handle::{LeaderLayer, OnLoss};
pub use local::{Local, LocalElector};
pub use seaworthy_store::{ErrorClass, StoreError};
pub use sight::{Leader, Sight};
pub use term::{Term, TermControl, TermOwner, TermWatch};
