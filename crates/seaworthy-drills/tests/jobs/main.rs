//! Jobs that are done by real processes which are killed, stopped and ended.

#![cfg(unix)]

mod crowd;
mod in_file;
#[cfg(feature = "servers")]
mod in_servers;
mod scenarios;
