//! A bulkhead: lets only so many calls run at a time, so that one slow backend cannot take up all there is.
//!
//! ```text
//!             a slot is free
//!   a call ───────────────────────────────────────────▶ runs ──▶ gives its slot back, or hands it to the first who waits
//!     │                                                  ▲
//!     │ none is free      `max_wait` is set, and the     │ a slot was granted in time
//!     ├─────────────────▶ queue is not full: waits ──────┤
//!     │                                                  │ none was
//!     └──────────────────────────────────────────────────┴─▶ is rejected with `BulkheadFull`
//! ```
//!
//! [`Slots`] owns the slots. [`Slots::layer`] puts it around a service; [`Slots::run`] around a future;
//! [`Slots::try_take`] and [`Slots::take`] around anything.
//!
//! A slot is taken in `call`, never in `poll_ready`: a service that is ready and stands idle takes no slot from the
//! others. It is given back when the call ends, whether in success, in an error, in a panic or because it was dropped.
//! With feature `http` it can be held until the response body has ended, too: `BulkheadLayer::until_body_end`.
//!
//! # Differences from `tower::limit::ConcurrencyLimit`
//! - It rejects while full, unless it is told to let calls wait. `ConcurrencyLimit` is not ready then; to make it
//!   reject, `LoadShed` has to be put around it.
//! - `ConcurrencyLimit` takes its permit in `poll_ready` and holds it until the call, or for ever if there is none.
//! - A call waits in its response future, so that `poll_ready` does not stand in the way of others, and for a limited
//!   time.
//! - Layers made from one [`Slots`] share its slots, as with tower's `GlobalConcurrencyLimitLayer`.

mod builder;
mod check;
mod core;
mod future;
mod handle;
mod held;
mod layer;
mod locked;
mod service;
mod take;
mod waiting;

pub(crate) use held::Held;
pub(crate) use take::{Place, Waiter};

pub use builder::SlotsBuilder;
pub(crate) use builder::SlotsTemplate;
pub use future::ResponseFuture;
pub use handle::{Slots, Snapshot};
pub use held::Slot;
pub use layer::BulkheadLayer;
pub use service::Bulkhead;
pub(crate) use service::call_through;
pub use take::Take;
