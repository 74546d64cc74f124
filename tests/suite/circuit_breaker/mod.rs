//! The numbered behaviours of the circuit breaker.

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
