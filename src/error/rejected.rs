use std::fmt;
use std::time::Duration;

use super::compact::{RetryAfter, TimeLimit};
use crate::name::Name;

/// A call that a layer answered itself: the only error this crate ever adds to a stack's own.
///
/// For all but [`Rejected::TimedOut`], [`Rejected::Withdrawn`] and some of [`Rejected::DeadlineExceeded`] the inner
/// service was not called.
///
/// It is two words, so that a rejection costs next to nothing on its way through a stack; that is why its times have
/// types of their own, which turn into a [`Duration`] with `get()`.
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
        /// How much of the open time is left. Unknown if the circuit was forced open, if its open time has no limit, or
        /// if it is half-open.
        retry_after: RetryAfter,
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
        after: TimeLimit,
        /// The timeout's name, if it has one.
        timeout: Option<Name>,
    },
    /// The deadline of the call has passed: nobody waits for the answer any more.
    #[error("deadline exceeded {}", stage.in_words())]
    DeadlineExceeded {
        /// How far the call had come.
        stage: DeadlineStage,
    },
    /// The inner service was called and then told to stop, because what allowed the call is gone: leadership was lost,
    /// or a lease. How much of the call was done is unknown. No layer of this crate says so by itself; those of its
    /// companions do.
    #[error("call withdrawn: `{name}` no longer allows it")]
    Withdrawn {
        /// The name of what allowed the call.
        name: Name,
    },
}

/// How far a call had come when its deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineStage {
    /// It had just arrived; the inner service was not called.
    Arrival,
    /// It waited for a permit, or for the inner service to be ready; that was not called.
    Queue,
    /// The inner service was called and had not answered.
    Attempt,
    /// The response was there, but not the whole of its body.
    Body,
}

impl DeadlineStage {
    const ALL: [DeadlineStage; 4] =
        [DeadlineStage::Arrival, DeadlineStage::Queue, DeadlineStage::Attempt, DeadlineStage::Body];

    /// Whether the inner service had not been called.
    #[inline]
    #[must_use]
    pub fn is_before_call(self) -> bool {
        matches!(self, DeadlineStage::Arrival | DeadlineStage::Queue)
    }

    fn in_words(self) -> &'static str {
        match self {
            DeadlineStage::Arrival => "on arrival",
            DeadlineStage::Queue => "in the queue",
            DeadlineStage::Attempt => "before the response",
            DeadlineStage::Body => "within the response body",
        }
    }
}

/// The name of the stage, as in metrics.
impl fmt::Display for DeadlineStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DeadlineStage::Arrival => "arrival",
            DeadlineStage::Queue => "queue",
            DeadlineStage::Attempt => "attempt",
            DeadlineStage::Body => "body",
        })
    }
}

impl Rejected {
    /// How long to wait before another try makes sense, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Rejected::CircuitOpen { retry_after, .. }
            | Rejected::BulkheadFull { retry_after, .. }
            | Rejected::NotReady { retry_after, .. } => retry_after.get(),
            Rejected::TimedOut { .. } | Rejected::DeadlineExceeded { .. } | Rejected::Withdrawn { .. } => None,
        }
    }

    /// Whether the call was rejected before it reached the inner service.
    #[inline]
    #[must_use]
    pub fn is_before_call(&self) -> bool {
        match self {
            Rejected::CircuitOpen { .. } | Rejected::BulkheadFull { .. } | Rejected::NotReady { .. } => true,
            Rejected::TimedOut { .. } | Rejected::Withdrawn { .. } => false,
            Rejected::DeadlineExceeded { stage } => stage.is_before_call(),
        }
    }
}

/// A rejection on its way to whoever polls for it. It is written and read as two whole words: a processor passes on
/// what it has just written only to a read that lies within one write, and otherwise waits.
pub(crate) struct StoredRejection {
    /// Which it is, and above that its time; 0 once it was taken.
    head: u64,
    name: Option<Name>,
}

const KIND: u32 = 8;

impl StoredRejection {
    /// None, or one that was taken.
    pub(crate) const TAKEN: StoredRejection = StoredRejection { head: 0, name: None };

    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Rejected> {
        let (head, name) = (std::mem::take(&mut self.head), self.name.take());
        let time = head >> KIND;
        // It was put in as 32 bits.
        let retry_after = RetryAfter::from_bits(time as u32);
        match (head as u8, name) {
            (1, Some(name)) => Some(Rejected::CircuitOpen { name, retry_after }),
            (2, Some(name)) => Some(Rejected::BulkheadFull { name, retry_after }),
            (3, Some(reason)) => Some(Rejected::NotReady { reason, retry_after }),
            (4, timeout) => Some(Rejected::TimedOut { after: TimeLimit::from_bits(time), timeout }),
            (5, _) => {
                let stage = DeadlineStage::ALL.get(time as usize).copied();
                Some(Rejected::DeadlineExceeded { stage: stage.unwrap_or(DeadlineStage::Arrival) })
            }
            (6, Some(name)) => Some(Rejected::Withdrawn { name }),
            _ => None,
        }
    }
}

impl From<Rejected> for StoredRejection {
    #[inline(always)]
    fn from(rejected: Rejected) -> StoredRejection {
        let (kind, time, name) = match rejected {
            Rejected::CircuitOpen { name, retry_after } => (1, retry_after.bits().into(), Some(name)),
            Rejected::BulkheadFull { name, retry_after } => (2, retry_after.bits().into(), Some(name)),
            Rejected::NotReady { reason, retry_after } => (3, retry_after.bits().into(), Some(reason)),
            Rejected::TimedOut { after, timeout } => (4, after.bits(), timeout),
            Rejected::DeadlineExceeded { stage } => (5, stage as u64, None),
            Rejected::Withdrawn { name } => (6, 0, Some(name)),
        };
        StoredRejection { head: time << KIND | kind, name }
    }
}

/// The start of the text of a timeout: its name, if it has one.
struct NamedAfter<'a>(&'a Option<Name>);

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

    /// ER-12: every call that fails at a layer carries a rejection, so neither a name nor a time may make it larger.
    #[test]
    fn size() {
        assert!(size_of::<Rejected>() <= 2 * size_of::<u64>());
    }

    /// ER-06: with two timeouts in a stack, the text says which.
    #[test]
    fn in_words() {
        let timed_out = |timeout| Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout }.to_string();
        assert_eq!(timed_out(None), "timed out after 1s");
        assert_eq!(timed_out(Some("total".into())), "timeout `total`: timed out after 1s");
        let exceeded = DeadlineStage::ALL.map(|stage| Rejected::DeadlineExceeded { stage }.to_string());
        let words = ["on arrival", "in the queue", "before the response", "within the response body"];
        assert_eq!(exceeded, words.map(|words| format!("deadline exceeded {words}")));
    }

    /// CO-01: a call that was withdrawn had been made; the text says what no longer allows it, and nobody knows how
    /// long to wait for another.
    #[test]
    fn withdrawn() {
        let withdrawn = Rejected::Withdrawn { name: "billing".into() };
        assert_eq!(withdrawn.to_string(), "call withdrawn: `billing` no longer allows it");
        assert_eq!((withdrawn.is_before_call(), withdrawn.retry_after()), (false, None));
    }

    /// ER-12: what was put aside is what was put in, and is there once.
    #[test]
    fn stored() {
        let name = || Name::from("a");
        for retry_after in
            [RetryAfter::UNKNOWN, Duration::from_millis(1).into(), Duration::from_millis(u32::MAX.into()).into()]
        {
            for rejected in [
                Rejected::CircuitOpen { name: name(), retry_after },
                Rejected::BulkheadFull { name: name(), retry_after },
                Rejected::NotReady { reason: name(), retry_after },
                Rejected::TimedOut { after: Duration::MAX.into(), timeout: Some(name()) },
                Rejected::TimedOut { after: Duration::ZERO.into(), timeout: None },
                Rejected::Withdrawn { name: name() },
            ] {
                let mut stored = StoredRejection::from(rejected.clone());
                assert_eq!((stored.take(), stored.take()), (Some(rejected), None));
            }
        }
        for (at, stage) in DeadlineStage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, at);
            let rejection = Rejected::DeadlineExceeded { stage };
            assert_eq!(StoredRejection::from(rejection.clone()).take(), Some(rejection));
        }
    }
}
