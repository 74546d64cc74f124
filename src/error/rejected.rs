use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::name::Name;

/// A call that a layer answered itself: the only error this crate ever adds to a stack's own.
///
/// For all but [`Rejected::TimedOut`] the inner service was not called.
///
/// # Clone
/// Never allocates; see [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The circuit is open, or half-open with all of its probes in flight.
    #[error("circuit `{name}` is open")]
    CircuitOpen {
        /// The circuit's name.
        name: Name,
        /// How much of the open time is left; never zero. Absent when that is unknown: the circuit was forced open, its
        /// open time has no limit, or it is half-open.
        retry_after: Option<Duration>,
    },
    /// The bulkhead has no free permit.
    #[error("bulkhead `{name}` is full")]
    BulkheadFull {
        /// The bulkhead's name.
        name: Name,
        /// How long to wait, if that was set: see [`retry_after`](crate::bulkhead::BulkheadBuilder::retry_after).
        retry_after: RetryAfter,
    },
    /// The service is out of rotation.
    #[error("not ready: {reason}")]
    NotReady {
        /// What keeps the request out: a check's name, or the phase.
        reason: Name,
        /// How long that will last, where known: the rest of the open time of a required circuit breaker.
        retry_after: RetryAfter,
    },
    /// The inner service was called, but took too long and was abandoned.
    #[error("{}timed out after {after:?}", NamedAfter(timeout))]
    TimedOut {
        /// The time limit.
        after: Duration,
        /// The timeout's name, if it has one.
        timeout: Option<Arc<str>>,
    },
}

/// How long to wait before another try, where that is known. Works like an `Option<Duration>` in half the space, so
/// that it adds nothing to the size of a [`Rejected`].
///
/// ```
/// use seaworthy::RetryAfter;
/// use std::time::Duration;
///
/// let second = RetryAfter::from(Some(Duration::from_secs(1)));
/// assert_eq!(second.get(), Some(Duration::from_secs(1)));
/// assert_eq!(RetryAfter::from(None).get(), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryAfter(Option<NonZeroU64>);

impl RetryAfter {
    /// The time, to the nanosecond; 584 years at most.
    #[must_use]
    pub fn get(self) -> Option<Duration> {
        self.0.map(|nanos| Duration::from_nanos(nanos.get()))
    }
}

/// A wait of zero counts as unknown.
impl From<Option<Duration>> for RetryAfter {
    fn from(time: Option<Duration>) -> RetryAfter {
        RetryAfter(time.and_then(|time| NonZeroU64::new(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))))
    }
}

impl fmt::Debug for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Rejected {
    /// How long to wait before another try makes sense, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Rejected::CircuitOpen { retry_after, .. } => *retry_after,
            Rejected::BulkheadFull { retry_after, .. } | Rejected::NotReady { retry_after, .. } => retry_after.get(),
            Rejected::TimedOut { .. } => None,
        }
    }

    /// Whether the call was rejected before it reached the inner service.
    #[inline]
    #[must_use]
    pub fn is_before_call(&self) -> bool {
        !matches!(self, Rejected::TimedOut { .. })
    }
}

/// The start of the text of a timeout: its name, if it has one.
struct NamedAfter<'a>(&'a Option<Arc<str>>);

impl fmt::Display for NamedAfter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "timeout `{name}`: "),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ER-06: every call that fails at a layer carries a rejection, so the name of a timeout must not make it larger.
    #[test]
    fn size() {
        assert!(size_of::<Rejected>() <= 40);
    }

    /// ER-06: with two timeouts in a stack, the text says which.
    #[test]
    fn in_words() {
        let timed_out = |timeout| Rejected::TimedOut { after: Duration::from_secs(1), timeout }.to_string();
        assert_eq!(timed_out(None), "timed out after 1s");
        assert_eq!(timed_out(Some("total".into())), "timeout `total`: timed out after 1s");
    }
}
