//! A bulkhead: lets only so many calls run at a time, so that one slow backend cannot take up all there is.
//!
//! ```text
//!             a permit is free
//!   a call ───────────────────────────────────────────▶ runs ──▶ gives its permit back, or hands it to the first who waits
//!     │                                                  ▲
//!     │ none is free      `max_wait` is set, and the     │ a permit was granted in time
//!     ├─────────────────▶ queue is not full: waits ──────┤
//!     │                                                  │ none was
//!     └──────────────────────────────────────────────────┴─▶ is rejected with `BulkheadFull`
//! ```
//!
//! [`Bulkhead`] owns the permits. [`Bulkhead::layer`] puts it around a service; [`Bulkhead::run`] around a future;
//! [`Bulkhead::try_acquire`] and [`Bulkhead::take`] around anything.
//!
//! A permit is taken in `call`, never in `poll_ready`: a service that is ready and stands idle takes no permit from the
//! others. It is given back when the call ends, whether in success, in an error, in a panic or because it was dropped.
//! With feature `http` it can be held until the response body has ended, too: `BulkheadLayer::until_body_end`.
//!
//! # Differences from `tower::limit::ConcurrencyLimit`
//! - It rejects while full, unless it is told to let calls wait. `ConcurrencyLimit` is not ready then; to make it
//!   reject, `LoadShed` has to be put around it.
//! - `ConcurrencyLimit` takes its permit in `poll_ready` and holds it until the call, or for ever if there is none.
//! - A call waits in its response future, so that `poll_ready` does not stand in the way of others, and for a limited
//!   time.
//! - Layers made from one [`Bulkhead`] share its permits, as with tower's `GlobalConcurrencyLimitLayer`.

mod acquire;
mod builder;
mod check;
mod future;
mod handle;
mod held;
mod layer;
mod locked;
mod service;
mod shared;
mod waiting;

pub(crate) use acquire::{QueueState, Waiter};
pub(crate) use held::HeldPermit;

pub use acquire::Acquire;
pub use builder::BulkheadBuilder;
pub(crate) use builder::BulkheadTemplate;
pub use future::ResponseFuture;
pub use handle::{Bulkhead, Snapshot};
pub use held::Permit;
pub use layer::BulkheadLayer;
pub use service::BulkheadService;
pub(crate) use service::call_through;
