//! The drills of leadership, in short, and their judges. A binary of its own, because thirty processes that write to the
//! disk at once are no company for tests that reckon with times.

#![cfg(unix)]

mod in_file;
#[cfg(feature = "servers")]
mod in_schema;
mod judges;
mod short;
