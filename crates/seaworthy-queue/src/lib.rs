#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request or a job can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod conformance;
mod consumer;
mod delivery;
mod error;
mod event;
mod headers;
mod job;
mod job_id;
#[cfg(feature = "ledger")]
#[cfg_attr(docsrs, doc(cfg(feature = "ledger")))]
pub mod ledger;
mod length;
mod machine;
mod memory;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
mod queue;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
pub mod store;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod together;

pub use consumer::{Consumer, ConsumerError, ConsumerHandle, Gate, Room, Solo};
pub use delivery::{Classify, DefaultClassifier, Delivery, DeliveryMeta, JobError, Settle};
pub use error::QueueError;
pub use event::{Event, Outcome};
pub use headers::Headers;
pub use job::{DecodeError, Job};
pub use job_id::JobId;
pub use memory::Memory;
pub use queue::{Dead, DeadPage, EnqueueRequest, Enqueued, Queue, QueueBuilder};
pub use seaworthy_store::{ErrorClass, StoreError};
