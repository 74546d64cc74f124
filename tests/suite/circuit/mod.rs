//! The numbered behaviours of the circuit breaker.

mod config;
mod control;
mod drops;
mod half_open;
mod hold;
mod opening;
mod service;
mod verdicts;
mod windows;
