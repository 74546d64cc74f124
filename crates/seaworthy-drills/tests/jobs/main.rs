//! The drills of the durable queue, in short, and their judges. A binary of its own, because processes that are killed
//! and servers that restart are no company for tests that reckon with times.

#![cfg(unix)]

mod in_file;
#[cfg(feature = "servers")]
mod in_servers;
mod judges;
mod program;
mod short;
