//! One binary for all tests that need nothing special, because linking is what takes the time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod circuit;
mod composition;
mod gateway;
#[cfg(feature = "http")]
mod respond;
mod support;
mod timeout;
