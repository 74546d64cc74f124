//! The companions against real servers. A server that is missing on this machine fails the tests.

#[cfg(unix)]
mod postgres;
