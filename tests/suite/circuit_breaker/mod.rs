//! The numbered behaviours of the circuit breaker.

#[cfg(feature = "http")]
pub mod body;
mod config;
mod control;
mod drops;
mod half_open;
mod hold;
mod logs;
mod opening;
mod service;
mod threads;
mod verdicts;
mod windows;
