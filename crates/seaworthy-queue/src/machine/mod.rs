//! What becomes of jobs, as plain values: the memory engine's rules, and the model that others are compared with.

pub(crate) mod jobs;
pub(crate) mod row;

#[cfg(test)]
mod tests;
