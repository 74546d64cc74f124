//! Pure state machines. They are given the time and a source of random numbers, and return what happened: nothing
//! here reads a clock, locks, logs, sleeps or draws a random number.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod deadline;
pub(crate) mod keyed;
pub(crate) mod lifecycle;
#[cfg(feature = "prober")]
pub(crate) mod probe;
pub(crate) mod probe_state;
pub(crate) mod ratio;
pub(crate) mod retry;
#[cfg(feature = "lifecycle")]
pub(crate) mod runner;
pub(crate) mod timestamp;
pub(crate) mod verdict;
pub(crate) mod window;

/// A source of fractions in `[0, 1)`, called only when a jittered time is needed.
pub(crate) type Rng<'a> = &'a mut dyn FnMut() -> f64;
