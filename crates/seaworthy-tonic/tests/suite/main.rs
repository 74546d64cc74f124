//! Real peers over real sockets. One binary, because linking is what takes time.
#![allow(clippy::disallowed_methods, reason = "real sockets live in real time")]

mod client;
mod deadline;
mod health;
mod misbehaving;
mod server;
mod support;
mod types;
