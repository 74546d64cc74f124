//! A fallback: answers a failed call in another way, with a value, the result of a function, or another service.
//!
//! ```text
//!   call ──▶ inner ──▶ succeeded ───────────────────────▶ the response
//!                │
//!                └──▶ failed ──▶ not covered ───────────▶ the error
//!                        │
//!                        └──▶ covered: inner's future is dropped, the observer is notified
//!                                ├──▶ a value ──────────▶ a clone of it
//!                                ├──▶ a function ───────▶ what it makes of the error
//!                                └──▶ another service ──▶ its answer; it is called once
//! ```
//!
//! | the inner service | a request |
//! |---|---|
//! | answers | gets the response; an `Ok` is never replaced |
//! | fails with a covered error | gets the fallback's answer, or its error |
//! | fails with anything else | gets that error, untouched |
//! | panics | panics |
//!
//! [`Fallback::layer`](crate::Fallback::layer) puts it around a service, and [`Fallback::run`](crate::Fallback::run)
//! around a future; [`Fallback::covers`](crate::Fallback::covers) is the decision alone.
//!
//! # What is covered
//! The rejections of this crate, unless [`when`](FallbackBuilder::when) says otherwise: the circuit was open, the
//! bulkhead full, the service not ready, or the time was up. The backend's own errors reach the caller.
//!
//! # Where to put it
//! Outside everything whose rejections it is to answer. Above a retry, it comes after the last attempt; below one, a
//! fallback that succeeds ends the retries. A circuit breaker above it would take a fallback's answer for the
//! backend's.
//!
//! A fallback service that needs protection gets its own circuit breaker and timeout around it. Neither is implied.

mod answer;
mod builder;
mod fallback_if;
mod future;
pub(crate) mod handle;
mod layer;
mod oneshot;
mod service;

pub use answer::{Answer, Function, Keep, Other, RequestFunction, Value};
pub use builder::FallbackBuilder;
pub use fallback_if::{FallbackIf, Rejections};
pub use future::ResponseFuture;
pub use layer::FallbackLayer;
pub use oneshot::Oneshot;
pub use service::FallbackService;
