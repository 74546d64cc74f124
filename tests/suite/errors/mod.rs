//! ER: foreign errors, panics and wakers.

mod log;
mod panics;
mod sources;
mod wakers;
mod words;
