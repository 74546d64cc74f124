//! What seaworthy's patterns cost, next to the other crates that have them.
//!
//! [`Peer`] is all that a crate must provide to take part, and each has one file in `peers`. [`Row`] lists what is
//! measured. The binary and the criterion bench both run the loops in `bench`. All that is about circuit breakers; the
//! other patterns are in [`PATTERNS`].

#![forbid(unsafe_code)]

mod ask;
mod bench;
mod drive;
mod floors;
mod patterns;
mod peer;
mod peers;
mod row;

pub use ask::{Answer, Ask, Failure, Inner, Outcome};
pub use bench::Bench;
pub use floors::floors;
pub use patterns::{Cell, Column, PATTERNS, Pattern, Target};
pub use peer::{Entry, Peer};
pub use peers::entries;
pub use row::{Row, Rule};
