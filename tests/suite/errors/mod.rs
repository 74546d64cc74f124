//! ER: errors, panics and wakers of others.

mod log;
mod panics;
mod sources;
mod wakers;
mod words;
