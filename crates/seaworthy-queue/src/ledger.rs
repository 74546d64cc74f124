//! Jobs that are done once, or one at a time: a ledger behind a queue.
//!
//! A queue delivers a job at least once; a ledger records that it was done, so that a second delivery is answered by
//! the record. Put [`for_jobs`] outermost, so that a job that is done or busy spends no permit and no attempt of what
//! is below.
//!
//! ```
//! use seaworthy::{BoxError, Shutdown};
//! use seaworthy_ledger::Ledger;
//! use seaworthy_queue::{Consumer, Delivery, Job, Queue, ledger};
//! use tower::{ServiceBuilder, service_fn};
//!
//! #[derive(Clone, serde::Serialize, serde::Deserialize)]
//! struct Charge {
//!     cents: u64,
//! }
//!
//! impl Job for Charge {
//!     const KIND: &str = "charge";
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let queue: Queue<Charge> = Queue::memory("charges").build()?;
//! let service = ServiceBuilder::new()
//!     .layer(ledger::for_jobs::<Charge, _>(Ledger::memory("charges").build()?))
//!     .service(service_fn(|job: Delivery<Charge>| async move { Ok::<u64, BoxError>(job.job().cents) }));
//! let consumer = Consumer::new(queue).service(service);
//! # let (stop, stopped) = Shutdown::new();
//! # stop.fire();
//! # consumer.run(stopped).await?;
//! # Ok(())
//! # }
//! ```

mod one_at_a_time;

use std::error::Error;

use seaworthy::{ConfigError, Error as TypedError};
use seaworthy_ledger::{ClaimRequest, IdempotencyError, IdempotencyLayer, Key, Ledger};

use crate::delivery::{Delivery, Settle};

pub use one_at_a_time::{OneAtATimeLayer, OneAtATimeService, ResponseFuture};

/// How a delivery becomes a claim: see [`for_jobs`].
pub type ClaimOf<M> = fn(&Delivery<M>) -> Option<Result<ClaimRequest, ConfigError>>;

/// An idempotency layer for deliveries. The key is the queue and the job's id; the rank is the delivery's fence, so
/// that whoever is handed a job does not wait for the lease of who had it before; the lease is the visibility.
#[must_use = "a layer does nothing until it is put around a service"]
pub fn for_jobs<M, L>(ledger: Ledger<L>) -> IdempotencyLayer<ClaimOf<M>, L> {
    IdempotencyLayer::new(ledger, claim_of)
}

/// Lets at most one job of a key be at work at a time, in all processes that share the ledger; the others are put off,
/// which spends no attempt.
///
/// `key_of` gives the key, or none for a job that may run beside any other; see
/// [`IntoClaimRequest`](seaworthy_ledger::idempotency::IntoClaimRequest). It is claimed for as long as the call goes
/// on, with the visibility as its lease, and free again when the call has ended, was dropped or has panicked; if its
/// process died, when the lease is over. A call whose claim is lost, because the ledger could not be asked in time, is
/// dropped, and its job is tried again. Nothing is recorded: the ledger keeps the key's row for as long as it keeps
/// others. A rank would let a job begin beside an older one.
///
/// This is no order: whichever job finds the key free is next. A job looks again after about a second, and the longer
/// it has waited, the more seldom, up to about half a minute; after `defer_at_most` that counts as an attempt.
///
/// Put it outermost, around [`for_jobs`] too, so that a job that is put off costs nothing below. A key that cannot be
/// one makes a dead letter.
///
/// ```
/// use seaworthy::{BoxError, Shutdown};
/// use seaworthy_ledger::{Key, Ledger};
/// use seaworthy_queue::{Consumer, Delivery, Job, Queue, ledger};
/// use tower::{ServiceBuilder, service_fn};
///
/// #[derive(Clone, serde::Serialize, serde::Deserialize)]
/// struct Transfer {
///     account: String,
///     cents: u64,
/// }
///
/// impl Job for Transfer {
///     const KIND: &str = "transfer";
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let queue: Queue<Transfer> = Queue::memory("transfers").build()?;
/// let accounts = Ledger::memory("accounts").build()?;
/// let of_account = |job: &Delivery<Transfer>| Key::new("account", &job.job().account);
/// let service = ServiceBuilder::new()
///     .layer(ledger::one_at_a_time(accounts, of_account))
///     .service(service_fn(|job: Delivery<Transfer>| async move { Ok::<u64, BoxError>(job.job().cents) }));
/// let consumer = Consumer::new(queue).service(service);
/// # let (stop, stopped) = Shutdown::new();
/// # stop.fire();
/// # consumer.run(stopped).await?;
/// # Ok(())
/// # }
/// ```
pub fn one_at_a_time<M, K, Q, L>(ledger: Ledger<L>, key_of: K) -> OneAtATimeLayer<K, L>
where
    K: Fn(&Delivery<M>) -> Q,
{
    OneAtATimeLayer::new(ledger, key_of)
}

fn claim_of<M>(delivery: &Delivery<M>) -> Option<Result<ClaimRequest, ConfigError>> {
    let rank = i64::try_from(delivery.fence()).unwrap_or(i64::MAX);
    let key = Key::new(delivery.queue(), delivery.id().as_str());
    Some(key.map(|key| ClaimRequest::new(key).rank(rank).lease(delivery.visibility())))
}

/// What an error of the layer means for the job.
pub(crate) fn said(error: &(dyn Error + 'static)) -> Option<Settle> {
    let error = match error.downcast_ref::<TypedError<IdempotencyError>>() {
        Some(TypedError::Inner(error)) => error,
        Some(_) => return None,
        None => error.downcast_ref::<IdempotencyError>()?,
    };
    Some(match error {
        IdempotencyError::Busy { retry_in } => Settle::Defer { after: Some(*retry_in) },
        IdempotencyError::LedgerDown(_) => Settle::Defer { after: None },
        IdempotencyError::Lost => Settle::Leave,
        IdempotencyError::NotKept => Settle::Ack,
        // A ledger that does not fit to the visibility, for instance, which somebody may mend meanwhile.
        IdempotencyError::Request(error) => Settle::Retry { after: None, reason: error.to_string() },
        error => Settle::Dead { reason: error.to_string() },
    })
}
