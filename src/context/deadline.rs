use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::{ContextFuture, has_deadline};
use crate::machine::timestamp::Timestamp;
use crate::rt::time::{self, Instant};

/// The moment after which nobody waits for the answer of a call any more. It belongs to the call and not to a layer:
/// what is inside its [`scope`](Deadline::scope) consults it, so that no permit, probe, retry or backend second is
/// spent on an answer that will be thrown away. See [`deadline`](crate::deadline) for who consults it, and how.
///
/// A moment of tokio's monotonic clock, to the nanosecond.
///
/// ```
/// use seaworthy::{BoxError, Deadline, Policy, Rejected, StackError};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let policy = Policy::builder("backend").timeout(Duration::from_secs(5)).build()?;
/// let hangs = || std::future::pending::<Result<(), BoxError>>();
/// let answer = Deadline::within(Duration::from_millis(300)).scope(policy.run(hangs)).await;
/// let error = answer.expect_err("it takes too long");
/// assert!(matches!(error.rejected(), Some(Rejected::DeadlineExceeded { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// A moment that is never reached.
    pub const NEVER: Deadline = Deadline(Timestamp::NEVER);

    /// This long from now. Zero has passed already; a duration that the clock cannot represent is
    /// [`NEVER`](Self::NEVER).
    #[must_use]
    pub fn within(time: Duration) -> Deadline {
        Deadline(time::now().after(time))
    }

    /// At this moment.
    #[must_use]
    pub fn at(moment: Instant) -> Deadline {
        Deadline(time::timestamp(moment))
    }

    /// The time that is left: zero once it has passed, [`Duration::MAX`] for [`NEVER`](Self::NEVER).
    #[must_use]
    pub fn remaining(self) -> Duration {
        if self == Deadline::NEVER { Duration::MAX } else { self.0.since(time::now()) }
    }

    /// Whether the moment has come, as it has at exactly that moment.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self != Deadline::NEVER && time::now() >= self.0
    }

    /// The deadline of the call that is being made here, if there is one.
    #[must_use]
    #[inline]
    pub fn current() -> Option<Deadline> {
        Deadline::from_timestamp(super::deadline())
    }

    /// Makes it current while `future` is polled or dropped, unless there is an earlier one. It ends nothing by itself:
    /// what is inside does, such as a [`Timeout`](crate::Timeout) or a [`Policy`](crate::Policy).
    ///
    /// # Cancellation
    /// Dropping it drops `future`, inside the scope.
    pub fn scope<F: Future>(self, future: F) -> ContextFuture<F> {
        ContextFuture::narrowing(self.0, future)
    }

    /// Runs `future` without a deadline, whatever is current: for cleanup that must be done although time is up.
    ///
    /// # Cancellation
    /// Dropping it drops `future`, without a deadline.
    ///
    /// ```
    /// use seaworthy::Deadline;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cleanup = Deadline::shielded(async { Deadline::current() });
    /// assert_eq!(Deadline::within(Duration::ZERO).scope(cleanup).await, None);
    /// # }
    /// ```
    pub fn shielded<F: Future>(future: F) -> ContextFuture<F> {
        ContextFuture::shielded(future)
    }

    pub(crate) fn timestamp(self) -> Timestamp {
        self.0
    }

    #[inline]
    pub(crate) fn from_timestamp(moment: Timestamp) -> Option<Deadline> {
        (moment != Timestamp::NEVER).then_some(Deadline(moment))
    }

    /// The earlier one of this and what is current.
    pub(crate) fn or_current(self) -> Deadline {
        if has_deadline() { self.min(Deadline(super::deadline())) } else { self }
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Deadline::NEVER {
            return f.write_str("Deadline(never)");
        }
        write!(f, "Deadline(in {:?})", self.remaining())
    }
}
