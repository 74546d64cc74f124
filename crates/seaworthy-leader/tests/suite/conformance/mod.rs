//! The suite that every store and every elector is held to, and that it can fail.

mod memory;
mod naive;
mod notices;
mod own;
