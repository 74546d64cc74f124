//! What is known of a probed target, and when which target is probed next.

pub(crate) mod schedule;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod track;
