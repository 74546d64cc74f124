//! A circuit or a bulkhead for each key: for each host, route, shard or tenant, made when the key is first asked for, of
//! one configuration.
//!
//! ```text
//!   get(key) ──▶ known ─────────────────────────────────────────▶ its handle
//!       │
//!       └──▶ unknown ──▶ there is room ──────────────────────────▶ a new one
//!                 │
//!                 └──▶ full ──▶ one can be spared: it is dropped ─▶ a new one
//!                         │
//!                         └──▶ all are needed ───────────────────▶ the overflow's
//! ```
//!
//! [`Keyed`] owns the handles. [`Keyed::get`] gives the one of a key; [`Keyed::layer`] puts them around a service and picks
//! one for each request.
//!
//! # What is forgotten, and what never is
//! | the handle of a key | after the [idle time](KeyedBuilder::idle) | when another key needs its place |
//! |---|---|---|
//! | is held by anybody, or has a call under way | stays | stays |
//! | is a circuit that rejects calls, or was forced | stays | stays |
//! | is a bulkhead whose limit was changed | stays | stays |
//! | is a circuit whose open time is over, or half-open with room for a probe | goes | stays |
//! | is any other | goes | goes, if it is the one that was used least recently |
//!
//! So as long as somebody holds the handle of a key, that is the key's handle: there are never two, unless
//! [`Keyed::remove`] was told to make it so. A circuit that is open is not forgotten, and with it its failures, before its
//! open time has passed.
//!
//! The idle time is a floor. It begins when a handle is found not to be in use, and that is looked into by the calls for
//! other keys, two or three handles at each, so that no call pays for many and no task is needed. What nobody asks for any more goes
//! between one and two idle times after its last use, if there are calls, and with the first calls that come if there
//! are none.
//!
//! # When it is full
//! If every one of the [`max`](KeyedBuilder::max) handles is needed, or the sixteen that were looked at are, the calls for
//! other keys share one more, the [overflow](Keyed::overflow). No healthy backend is rejected because others are ill, and
//! no bulkhead lets more in than it should:
//!
//! - the overflow of circuits measures and lets every call pass, unless it is forced open;
//! - the overflow of bulkheads is one of the same limit, which those keys have between them.
//!
//! What was found is remembered for a millisecond: until then the calls for other keys get the overflow at once, so that
//! a flood of keys costs little more than calls for keys that are known. The overflow is called `family (overflow)`.
//!
//! [`Event::KeysExhausted`](crate::Event::KeysExhausted) says so, and [`Snapshot::overflowed`] counts.

mod builder;
mod by_key;
mod handle;
mod kind;
mod label;
mod layer;
mod select;
mod shard;
mod stats;

pub use builder::KeyedBuilder;
pub use by_key::{KeyedBulkheadService, KeyedCircuitBreakerService};
pub use handle::Keyed;
pub use kind::KeyedHandle;
pub use layer::{KeyedBulkheadLayer, KeyedCircuitBreakerLayer};
pub use select::{BorrowKey, MakeKey, PickHandle};
pub use stats::Snapshot;
