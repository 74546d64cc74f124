//! One circuit breaker or bulkhead per key: for each host, route, shard or tenant, created from one configuration the
//! first time its key is used.
//!
//! ```text
//!   get(key) ──▶ known ──────────────────────────────────────────▶ its handle
//!       │
//!       └──▶ unknown ──▶ there is room ──────────────────────────▶ a new one
//!                 │
//!                 └──▶ full ──▶ one can go: it is evicted ────────▶ a new one
//!                         │
//!                         └──▶ all are needed ───────────────────▶ the overflow
//! ```
//!
//! [`Keyed`] owns the handles. [`Keyed::get`] returns the handle of a key; [`Keyed::layer`] puts them around a service
//! and picks one for each request.
//!
//! # What is evicted, and what never is
//! | the handle of a key | after the [idle time](KeyedBuilder::idle) | when another key needs its place |
//! |---|---|---|
//! | is held anywhere, or has a call running | stays | stays |
//! | is a circuit breaker that rejects calls, or is forced | stays | stays |
//! | is a bulkhead whose limit was changed | stays | stays |
//! | is a circuit breaker whose open time is over, or half-open with room for a probe | is evicted | stays |
//! | is any other | is evicted | is evicted, if it is the least recently used |
//!
//! So as long as the handle of a key is held anywhere, it is the key's handle: there are never two, unless
//! [`Keyed::remove`] brings that about. A circuit breaker that is open is not evicted, nor are its failures lost,
//! before its open time is over.
//!
//! The idle time is a minimum. It starts when a handle is found unused. The calls for other keys check for that, two or
//! three handles each, so that no call pays for many and no task is needed. A handle that is no longer used is evicted
//! between one and two idle times after its last use if there are calls, and by the next calls if there are none.
//!
//! # When it is full
//! If all of the [`max`](KeyedBuilder::max) handles are needed, or the sixteen that were examined are, calls for other
//! keys share one more, the [overflow](crate::Keyed::overflow). No healthy backend is rejected because others are
//! unhealthy, and no bulkhead lets more calls in than it should:
//!
//! - the overflow circuit breaker measures and lets every call pass, unless it is forced open;
//! - the overflow bulkhead has the same limit, which those keys share.
//!
//! The result is remembered for a millisecond: until then calls for other keys get the overflow at once, so that a
//! flood of keys costs little more than calls for known keys. The overflow is named `family (overflow)`.
//!
//! [`KeyedEvent::Exhausted`](crate::observe::KeyedEvent::Exhausted) reports it, and [`Snapshot::overflowed`] counts it.
//!
//! [`Keyed`]: crate::Keyed
//! [`Keyed::get`]: crate::Keyed::get
//! [`Keyed::layer`]: crate::Keyed::layer
//! [`Keyed::remove`]: crate::Keyed::remove

mod builder;
mod by_key;
pub(crate) mod handle;
mod kind;
mod label;
mod layer;
mod select;
mod shard;
mod stats;

pub use builder::KeyedBuilder;
pub use by_key::{KeyedBulkheadService, KeyedCircuitBreakerService};
pub use kind::KeyedHandle;
pub use layer::{KeyedBulkheadLayer, KeyedCircuitBreakerLayer};
pub use select::{BorrowKey, MakeKey, PickHandle};
pub use stats::Snapshot;
