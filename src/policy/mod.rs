//! Policies: a circuit, a bulkhead, a timeout and, if asked for, retries, bundled under one name and in the right order.
//!
//! ```text
//!   call ──▶ retry ──▶ circuit ──▶ bulkhead ──▶ timeout ──▶ inner
//!              ▲          │ open       │ full       │ time over
//!              └──────────┴────────────┴────────────┘
//! ```
//!
//! | part | a call |
//! |---|---|
//! | retry | is made again if it failed; only if the policy was built with retries, and never because of a rejection |
//! | circuit | is rejected at once while the backend is ill, however full the bulkhead is |
//! | bulkhead | takes a slot, waits for one, or is rejected; that says nothing about the backend to the circuit |
//! | timeout | is given up if it takes too long, counted from when it had its slot; that is a failure to the circuit |
//!
//! [`Policy::layer`] puts it around a service, [`Policy::run`] around the methods of anything; both share the parts.
//! [`Class`] tells calls apart: some may take longer, and a ping should not wait for a slot.
//!
//! # Differences from layers put together by hand
//! - A call costs one reference count for all parts, none through `run` or once the policy was [leaked](Policy::leak),
//!   and its future is smaller.
//! - The timeout has a name in events: the policy's.
//! - Which parts there are is decided at run time, so that a policy can be read from a file.
//! - The circuit's wait mode and slots that are held until a body ends are not in it; build these by hand around the
//!   same handles, which [`Policy::circuit`] and [`Policy::slots`] give.

mod again;
mod attempt;
mod builder;
mod class;
#[cfg(feature = "serde")]
mod data;
mod error;
mod future;
mod gate;
mod handle;
mod layer;
mod pass;
mod run;
mod service;
mod set;
mod stage;
mod waiting;

pub use again::{Again, Once};
pub use builder::PolicyBuilder;
pub use class::{Class, ClassFor};
#[cfg(feature = "serde")]
pub use data::PoliciesBuilder;
pub use error::PolicyError;
pub use future::ResponseFuture;
pub use handle::{Policy, Snapshot};
pub use layer::PolicyLayer;
pub use run::PolicyCall;
pub use service::PolicyService;
pub use set::Policies;
pub use stage::OnceFuture;
