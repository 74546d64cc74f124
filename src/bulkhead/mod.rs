//! A bulkhead: limits how many calls run at once, so that one slow backend cannot use up everything.
//!
//! ```text
//!             a permit is free
//!   a call ───────────────────────────────────────────▶ runs ──▶ releases its permit, or hands it to the first waiter
//!     │                                                  ▲
//!     │ none is free      `max_wait` is set and the      │ a permit was granted in time
//!     ├─────────────────▶ queue is not full: waits ──────┤
//!     │                                                  │ none was
//!     └──────────────────────────────────────────────────┴─▶ is rejected with `BulkheadFull`
//! ```
//!
//! [`Bulkhead`](crate::Bulkhead) owns the permits. [`Bulkhead::layer`](crate::Bulkhead::layer) puts it around a
//! service, [`Bulkhead::run`](crate::Bulkhead::run) around a future, and
//! [`Bulkhead::try_acquire`](crate::Bulkhead::try_acquire) and [`Bulkhead::acquire`](crate::Bulkhead::acquire) around
//! anything else.
//!
//! A permit is acquired in `call`, never in `poll_ready`: a ready but idle service takes no permit from the others. It
//! is released when the call ends, whether in success, in an error, in a panic or by being dropped. With feature `http`
//! it can also be held until the response body has ended: `BulkheadLayer::until_body_end`.
//!
//! # Differences from `tower::limit::ConcurrencyLimit`
//! - It rejects while full, unless configured to let calls wait. `ConcurrencyLimit` is not ready then; to make it
//!   reject, wrap it in `LoadShed`.
//! - `ConcurrencyLimit` acquires its permit in `poll_ready` and holds it until the call, or for ever if there is none.
//! - A call waits in its response future, so that `poll_ready` does not block other calls, and for a limited time.
//! - All layers of one [`Bulkhead`](crate::Bulkhead) share its permits, as with `GlobalConcurrencyLimitLayer`.

mod acquire;
mod admission;
mod builder;
mod future;
pub(crate) mod handle;
mod layer;
mod locked;
mod permit;
mod service;
mod shared;

pub use acquire::Acquire;
pub(crate) use acquire::{QueueRefusal, QueueState};
pub use builder::BulkheadBuilder;
pub(crate) use builder::BulkheadTemplate;
pub use future::{BulkheadRun, ResponseFuture};
pub use handle::Snapshot;
pub use layer::BulkheadLayer;
pub use permit::Permit;
pub use service::BulkheadService;
pub(crate) use service::call_through;
