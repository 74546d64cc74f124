//! The only modules that touch the outside world: the clock, randomness, threads, locks and panics.

pub(crate) mod panic;
pub(crate) mod random;
pub(crate) mod shared;
pub(crate) mod sync;
pub(crate) mod time;
pub(crate) mod waker_set;
