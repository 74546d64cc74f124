//! What is known about a probed target, and which target is probed next, and when.

pub(crate) mod schedule;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod track;
