//! One binary for all tests that need nothing special, because linking is what takes the time.

#![allow(unreachable_pub, reason = "a binary has no public items; its modules are cut for reading")]

mod circuit;
mod support;
