use seaworthy::{BoxError, Rejected, StackError};

use super::job_error::JobError;
use super::meta::DeliveryMeta;
use super::settle::Settle;

/// Says what is to become of a job, from what its service made of it. A closure is one.
pub trait Classify<T, E>: Send + Sync + 'static {
    /// Called once for each call that has ended; not for one that timed out, panicked, or was cut off.
    fn classify(&self, result: Result<T, E>, delivery: &DeliveryMeta) -> Settle;
}

/// What a [`Consumer`](crate::Consumer) goes by unless it is told otherwise.
///
/// | result | becomes |
/// |---|---|
/// | `Ok` | done |
/// | an error with a [`JobError`] among its sources | what that says |
/// | `CircuitOpen`, `BulkheadFull`, `NotReady` | deferred, for as long as they say |
/// | with feature `ledger`, `IdempotencyError::Busy`, `LedgerDown` | deferred |
/// | `IdempotencyError::Lost` | left to whoever has it |
/// | `IdempotencyError::NotKept` | done |
/// | `IdempotencyError::Request` | tried again |
/// | another `IdempotencyError` | dead |
/// | every other error, `TimedOut` and `Withdrawn` included | tried again |
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClassifier;

impl<T, E: StackError + Into<BoxError>> Classify<T, E> for DefaultClassifier {
    fn classify(&self, result: Result<T, E>, _: &DeliveryMeta) -> Settle {
        let Err(error) = result else { return Settle::Ack };
        let deferral = match error.rejected() {
            Some(
                rejected @ (Rejected::CircuitOpen { .. } | Rejected::BulkheadFull { .. } | Rejected::NotReady { .. }),
            ) => Some(Settle::Defer { after: rejected.retry_after() }),
            _ => None,
        };
        let error = error.into();
        let said = JobError::among(&*error).map(|error| error.settle().clone());
        #[cfg(feature = "ledger")]
        let said = said.or_else(|| crate::ledger::said(&*error));
        said.or(deferral).unwrap_or_else(|| Settle::Retry { after: None, reason: error.to_string() })
    }
}

impl<T, E, F> Classify<T, E> for F
where
    F: Fn(Result<T, E>, &DeliveryMeta) -> Settle + Send + Sync + 'static,
{
    fn classify(&self, result: Result<T, E>, delivery: &DeliveryMeta) -> Settle {
        self(result, delivery)
    }
}
