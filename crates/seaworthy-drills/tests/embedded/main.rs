//! The companions' stores that need no server, with real processes that die and stop.

#![cfg(unix)]

mod file;
mod lock;
#[path = "../processes/mod.rs"]
mod processes;
