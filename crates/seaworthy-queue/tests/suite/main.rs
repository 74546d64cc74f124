//! Tests of the queue.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod consumer;
