//! The companions' stores that need no server, with real processes that die and stop.

#![cfg(unix)]

mod crash;
mod effectively_once;
mod lock;
mod many;
mod support;
