//! What a service is given, and what becomes of it.

mod classify;
mod job_error;
mod meta;
mod settle;

pub use classify::{Classify, DefaultClassifier};
pub use job_error::JobError;
pub use meta::{Delivery, DeliveryMeta};
pub use settle::Settle;
