#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[cfg(unix)]
pub mod clock;
#[cfg(unix)]
mod command;
#[cfg(unix)]
mod find;
#[cfg(unix)]
mod guard;
pub mod journal;
#[cfg(unix)]
pub mod pgbouncer;
#[cfg(unix)]
pub mod points;
mod port;
#[cfg(unix)]
pub mod postgres;
pub mod proxy;
#[cfg(unix)]
pub mod redis;
pub mod seed;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod user;
#[cfg(unix)]
pub mod worker;
