//! One binary for all tests that need nothing special, because linking is what takes the time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod bulkhead;
mod circuit;
mod gateway;
#[cfg(feature = "http")]
mod respond;
mod support;
