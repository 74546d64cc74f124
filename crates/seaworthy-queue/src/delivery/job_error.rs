use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::settle::Settle;

/// An error that says itself what is to become of the job. It is found wherever it is among the sources of an error.
///
/// ```
/// use seaworthy::BoxError;
/// use seaworthy_queue::JobError;
///
/// fn check(tenant: &str) -> Result<(), BoxError> {
///     if tenant.is_empty() {
///         return Err(JobError::dead("a job without a tenant").into());
///     }
///     Ok(())
/// }
/// # assert!(check("").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError(Settle);

/// Among the sources of an error.
const DEEPEST: usize = 64;

impl JobError {
    /// The job will never work.
    #[must_use]
    pub fn dead(reason: impl Into<String>) -> JobError {
        JobError(Settle::Dead { reason: reason.into() })
    }

    /// Nothing was tried: it is delivered again after this.
    #[must_use]
    pub fn defer(after: Duration) -> JobError {
        JobError(Settle::Defer { after: Some(after) })
    }

    /// It failed, and is to be tried again after this.
    #[must_use]
    pub fn retry(after: Duration, reason: impl Into<String>) -> JobError {
        JobError(Settle::Retry { after: Some(after), reason: reason.into() })
    }

    /// The same, after the consumer's deferral.
    #[cfg(feature = "ledger")]
    pub(crate) fn put_off() -> JobError {
        JobError(Settle::Defer { after: None })
    }

    /// It failed, and is tried again after the backoff.
    #[cfg(feature = "ledger")]
    pub(crate) fn failed(reason: impl Into<String>) -> JobError {
        JobError(Settle::Retry { after: None, reason: reason.into() })
    }

    /// What it says.
    #[must_use]
    pub fn settle(&self) -> &Settle {
        &self.0
    }

    /// The first among an error and its sources.
    pub(crate) fn among<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e JobError> {
        let mut next = Some(error);
        for _ in 0..DEEPEST {
            let error = next?;
            if let Some(said) = error.downcast_ref::<JobError>() {
                return Some(said);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Settle::Dead { reason } | Settle::Retry { reason, .. } => f.write_str(reason),
            Settle::Defer { .. } | Settle::Ack | Settle::Leave => f.write_str("the job is put off"),
        }
    }
}

impl Error for JobError {}
