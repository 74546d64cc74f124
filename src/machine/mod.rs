//! Pure state machines. They are told the time and handed their luck, and return what happened: nothing in here reads a
//! clock, locks, logs, sleeps or draws a random number.

pub(crate) mod backoff;
pub(crate) mod buckets;
pub(crate) mod budget;
pub(crate) mod circuit;
pub(crate) mod count_window;
pub(crate) mod idleness;
pub(crate) mod moment;
pub(crate) mod phase;
#[cfg(feature = "prober")]
pub(crate) mod probe;
pub(crate) mod queue;
pub(crate) mod ratio;
pub(crate) mod report;
#[cfg(feature = "lifecycle")]
pub(crate) mod restart;
pub(crate) mod retry;
#[cfg(feature = "lifecycle")]
pub(crate) mod roster;
#[cfg(feature = "lifecycle")]
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod streak;
pub(crate) mod tally;
pub(crate) mod trial;
pub(crate) mod verdict;
pub(crate) mod window;

/// A source of fractions in `[0, 1)`, asked only when a jittered time is needed.
pub(crate) type Dice<'a> = &'a mut dyn FnMut() -> f64;
