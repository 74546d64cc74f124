use std::error::Error as StdError;
use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::Name;

/// A boxed error that may be sent and shared; the usual error type of a tower stack.
pub type BoxError = Box<dyn StdError + Send + Sync>;

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
    /// The bulkhead has no free slot.
    #[error("bulkhead `{name}` is full")]
    BulkheadFull {
        /// The bulkhead's name.
        name: Name,
        /// How long to wait, if it was told: see [`SlotsBuilder::retry_after`](crate::bulkhead::SlotsBuilder::retry_after).
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
    #[error("timed out after {after:?}")]
    TimedOut {
        /// The time it was given.
        after: Duration,
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

/// An error type that a whole stack can share: it can hold a [`Rejected`] and give it back.
///
/// Every layer of this crate asks for `S::Error: StackError` and leaves the type as it is. [`BoxError`] and [`Error`]
/// are ready to use. Your own error type needs `#[from] Rejected` and one method. Let the rejection be its `source()`, as
/// here, and not `#[error(transparent)]`, which would hide it: then it is found when your error is boxed, too.
///
/// ```
/// use seaworthy::{BoxError, Rejected, StackError};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ShopError {
///     #[error("sold out")]
///     SoldOut,
///     #[error("{0}")]
///     Rejected(#[from] Rejected),
/// }
///
/// impl StackError for ShopError {
///     fn rejected(&self) -> Option<&Rejected> {
///         match self {
///             ShopError::Rejected(rejected) => Some(rejected),
///             _ => None,
///         }
///     }
/// }
/// # assert!(ShopError::SoldOut.rejected().is_none());
/// # use std::time::Duration;
/// # let boxed = BoxError::from(ShopError::from(Rejected::TimedOut { after: Duration::from_secs(1) }));
/// # assert!(boxed.rejected().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the rejections of a stack",
    label = "this error type does not implement `StackError`",
    note = "lift a foreign error once, at the bottom of the stack: `.layer(LiftLayer::new())` makes it `seaworthy::Error<{Self}>`",
    note = "for an error type of your own: add a variant with `#[from] seaworthy::Rejected`, not transparent, and implement `StackError`",
    note = "a stack of `seaworthy::BoxError` needs neither"
)]
pub trait StackError: From<Rejected> {
    /// The rejection that this error is or stems from, if it is one.
    fn rejected(&self) -> Option<&Rejected>;
}

/// Finds a rejection in the whole chain of sources.
impl StackError for BoxError {
    fn rejected(&self) -> Option<&Rejected> {
        let mut error: &(dyn StdError + 'static) = self.as_ref();
        loop {
            if let Some(rejected) = error.downcast_ref() {
                return Some(rejected);
            }
            // An I/O error leaves out what it was made of when it is asked for its source.
            let inside = error.downcast_ref().and_then(std::io::Error::get_ref);
            error = match inside {
                Some(inside) => inside,
                None => error.source()?,
            };
        }
    }
}

/// The error of a typed stack: one of this crate's rejections, or the inner service's own error.
///
/// [`LiftLayer`](crate::LiftLayer) makes it from any error type; with feature `http`, `RespondLayer` takes it apart
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// A layer answered by itself.
    Rejected(Rejected),
    /// The inner service failed.
    Inner(E),
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Error<E> {
        Error::Rejected(rejected)
    }
}

impl<E> StackError for Error<E> {
    #[inline]
    fn rejected(&self) -> Option<&Rejected> {
        match self {
            Error::Rejected(rejected) => Some(rejected),
            Error::Inner(_) => None,
        }
    }
}

/// As whichever of the two it is.
impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Rejected(rejected) => rejected.fmt(f),
            Error::Inner(error) => error.fmt(f),
        }
    }
}

/// A rejection is its own source, so that it is found when this error is boxed or wrapped; an inner error is passed
/// through.
impl<E: StdError> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Rejected(rejected) => Some(rejected),
            Error::Inner(error) => error.source(),
        }
    }
}

/// A setting that cannot be used: which one, and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct ConfigError {
    field: &'static str,
    rule: &'static str,
}

impl ConfigError {
    pub(crate) const fn new(field: &'static str, rule: &'static str) -> ConfigError {
        ConfigError { field, rule }
    }

    /// The setter that took the value.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What the value must be.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}
