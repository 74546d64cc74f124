//! Every row of docs/benchmarks.md: ours, the floors, the peers. `cargo xtask numbers` takes one function of one of
//! these modules for each program that it builds; as a library they are only checked.

pub mod floors;
pub mod kit;
pub mod newer;
#[cfg(feature = "metrics")]
pub mod observed;
pub mod ours;
pub mod peers;
#[cfg(feature = "prober")]
pub mod probing;
pub mod scale;
pub mod sizes;
pub mod waiting;
