//! Jobs that are done once: a ledger behind a queue.
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

use std::error::Error;

use seaworthy::{ConfigError, Error as TypedError};
use seaworthy_ledger::{ClaimRequest, IdempotencyError, IdempotencyLayer, Key, Ledger};

use crate::delivery::{Delivery, Settle};

/// How a delivery becomes a claim: see [`for_jobs`].
pub type ClaimOf<M> = fn(&Delivery<M>) -> Option<Result<ClaimRequest, ConfigError>>;

/// An idempotency layer for deliveries. The key is the queue and the job's id; the rank is the delivery's fence, so
/// that whoever is handed a job does not wait for the lease of who had it before; the lease is the visibility.
#[must_use = "a layer does nothing until it is put around a service"]
pub fn for_jobs<M, L>(ledger: Ledger<L>) -> IdempotencyLayer<ClaimOf<M>, L> {
    IdempotencyLayer::new(ledger, claim_of)
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
        error => Settle::Dead { reason: error.to_string() },
    })
}
