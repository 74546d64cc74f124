//! Real peers over real sockets. One binary, because linking is what takes time.

mod client;
mod misbehaving;
mod server;
mod support;
mod types;
