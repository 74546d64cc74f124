//! The numbered behaviours of the circuit breaker.

mod half_open;
mod opening;
mod windows;
