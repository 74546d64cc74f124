//! One binary for all tests that need nothing special, because linking is what takes the time.

mod support;
