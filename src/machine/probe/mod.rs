//! What is known about a probed target, and which target is probed next and when.

#[cfg(feature = "prober")]
pub(crate) mod schedule;
pub(crate) mod state;
#[cfg(all(test, feature = "prober"))]
mod tests;
#[cfg(feature = "prober")]
pub(crate) mod text;
#[cfg(feature = "prober")]
pub(crate) mod track;
