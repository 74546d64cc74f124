//! One binary for all tests that need nothing special, because linking is what takes the time.

mod auto_traits;
mod bulkhead;
mod circuit;
mod composition;
mod contract;
mod fallback;
mod gateway;
mod keyed;
mod model;
mod property;
#[cfg(feature = "http")]
mod respond;
mod retry;
mod stack;
mod support;
mod timeout;
mod wait;
