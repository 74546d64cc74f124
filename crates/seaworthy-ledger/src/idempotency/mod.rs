//! A layer that does each piece of work once, around any tower service.
//!
//! ```text
//!   call ──▶ key_of ──▶ no key ──────────────────────────────▶ inner, untouched
//!               │
//!               └──▶ a key ──▶ the ledger ──▶ done ──────────▶ the answer that was kept
//!                                  │     ├──▶ busy, other ───▶ an error
//!                                  │     └──▶ down ──────────▶ an error, or inner without a claim (OnDown)
//!                                  └──▶ mine ──▶ inner, while the claim is renewed
//!                                                 ├──▶ answers ──▶ completed with the encoded answer
//!                                                 ├──▶ fails ────▶ the key is free again, with the error's text
//!                                                 └──▶ not called ▶ the key is free again, as if nobody had asked
//! ```
//!
//! | the key | a request |
//! |---|---|
//! | was never done, or failed | is done, under a claim that is renewed until the answer is recorded |
//! | is being done by somebody else | fails with [`Busy`](crate::IdempotencyError::Busy) |
//! | was done | gets the answer that was kept; the inner service is neither called nor polled |
//! | was done, and its answer was not kept | fails with [`NotKept`](crate::IdempotencyError::NotKept) |
//! | stands for another request | fails with [`Mismatch`](crate::IdempotencyError::Mismatch) |
//! | failed for good, by [`final_if`](crate::IdempotencyLayer::final_if) | fails with [`FailedBefore`][before] |
//!
//! [before]: crate::IdempotencyError::FailedBefore
//!
//! # Where to put it
//! Outside of what protects the inner service, so that a call that was given up, or tried three times, is one claim:
//! a circuit breaker of the ledger's store (if any), then this layer, then retry, circuit breaker, bulkhead and
//! timeout. Rejections from these that say that the inner service was not called give the key back as if it had not
//! been asked for. Put outside of a timeout, a call that is given up is dropped, which fails its claim, too.
//!
//! To the store's circuit breaker nothing is a failure but that the store is down:
//!
//! ```
//! use seaworthy::{BoxError, CircuitBreaker, Verdict};
//! use seaworthy_ledger::IdempotencyError;
//!
//! let of_store = CircuitBreaker::builder("ledger").consecutive_failures(5).build()?;
//! let layer = of_store.layer().classify(|result: &Result<String, BoxError>| {
//!     match result.as_ref().err().and_then(|error| error.downcast_ref()) {
//!         Some(IdempotencyError::LedgerDown(_)) => Verdict::Failure,
//!         _ => Verdict::Success,
//!     }
//! });
//! # let _ = layer;
//! # Ok::<(), seaworthy::ConfigError>(())
//! ```
//!
//! # What is promised
//! At most one outcome is recorded for each key, and everybody gets that one for as long as it is kept. The work itself
//! may be done twice: by whoever dies between its effect and the record of it, and by whoever stops for longer than its
//! lease while another goes on. See [`Claim`](crate::Claim) for what closes that gap.

pub(crate) mod codec;
pub(crate) mod error;
mod final_if;
mod future;
pub(crate) mod give_claim;
mod guarded;
pub(crate) mod layer;
pub(crate) mod on_down;
mod requested;
mod rules;
mod service;
mod to_end;

pub use codec::{Json, Raw, Unit};
pub use final_if::{FinalIf, Successes};
pub use future::ResponseFuture;
#[cfg(feature = "http")]
pub use give_claim::InExtensions;
pub use give_claim::{GiveClaim, Ungiven, Wrapped};
pub use layer::{InPlace, ToEnd};
pub use requested::IntoClaimRequest;
pub use service::IdempotencyService;
