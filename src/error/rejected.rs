use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::name::Name;

/// A call that a layer answered by itself: everything that this crate can ever add to a stack's errors.
///
/// For all but [`Rejected::TimedOut`] the inner service was not called.
///
/// # Clone
/// Never allocates; see [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The circuit is open, or half-open with all of its probes out.
    #[error("circuit `{name}` is open")]
    CircuitOpen {
        /// The circuit's name.
        name: Name,
        /// The open time that is left; never zero. Absent when nobody knows: the circuit was forced open, is open
        /// without end, or is half-open.
        retry_after: Option<Duration>,
    },
    /// The bulkhead has no free permit.
    #[error("bulkhead `{name}` is full")]
    BulkheadFull {
        /// The bulkhead's name.
        name: Name,
        /// How long to wait, if it was told: see [`BulkheadBuilder::retry_after`](crate::bulkhead::BulkheadBuilder::retry_after).
        retry_after: RetryAfter,
    },
    /// The service is out of rotation.
    #[error("not ready: {reason}")]
    NotReady {
        /// What is in the way.
        reason: Name,
        /// How long it will be, where that is known: the open time that is left of a required circuit.
        retry_after: RetryAfter,
    },
    /// The inner service was called and given up.
    #[error("{}timed out after {after:?}", NamedAfter(timeout))]
    TimedOut {
        /// The time it was given.
        after: Duration,
        /// The timeout's name, if it has one.
        timeout: Option<Arc<str>>,
    },
}

/// How long to wait before another try, where that is known. As an `Option<Duration>`, in half of its room, so that a
/// [`Rejected`] is no larger for it.
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
    /// The time, to the nanosecond, and 584 years at most.
    #[must_use]
    pub fn get(self) -> Option<Duration> {
        self.0.map(|nanos| Duration::from_nanos(nanos.get()))
    }
}

/// No time at all is none that is known.
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

    /// Whether the inner service was left untouched.
    #[inline]
    #[must_use]
    pub fn is_before_call(&self) -> bool {
        !matches!(self, Rejected::TimedOut { .. })
    }
}

/// A timeout's name, as what timed out begins with.
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

    /// ER-06: a rejection is what every call that fails at a layer carries, so it is no larger for a timeout's name.
    #[test]
    fn size() {
        assert!(size_of::<Rejected>() <= 40);
    }

    /// ER-06: of two timeouts in a stack, the text says which.
    #[test]
    fn in_words() {
        let timed_out = |timeout| Rejected::TimedOut { after: Duration::from_secs(1), timeout }.to_string();
        assert_eq!(timed_out(None), "timed out after 1s");
        assert_eq!(timed_out(Some("total".into())), "timeout `total`: timed out after 1s");
    }
}
