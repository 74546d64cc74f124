use std::error::Error as StdError;
use std::fmt;

use super::{Rejected, StackError, chain};

/// The error of a typed stack: one of this crate's rejections, or the inner service's own error.
///
/// [`WrapErrorLayer`](crate::WrapErrorLayer) makes one from any error type, and so does `run_wrapped` of every handle;
/// with feature `http`, `RespondLayer` takes it apart again.
///
/// Its text is that of the inner error, or "call rejected" with the rejection as its [source](StdError::source):
/// printed with its sources, each sentence appears once.
///
/// ```
/// use seaworthy::{CircuitBreaker, Error};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
/// let error = circuit_breaker.run_wrapped(async { "x".parse::<u8>() }).await.unwrap_err();
/// assert!(error.inner().is_some() && !error.is_rejected());
///
/// circuit_breaker.force_open();
/// let error = circuit_breaker.run_wrapped(async { "7".parse::<u8>() }).await.unwrap_err();
/// assert_eq!(error.to_string(), "call rejected");
/// assert_eq!(error.rejected().map(ToString::to_string).as_deref(), Some("circuit `parser` is open"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// A layer answered the call itself.
    Rejected(Rejected),
    /// The inner service failed.
    Inner(E),
}

impl<E> Error<E> {
    /// The inner service's own error, if that is what this is.
    #[must_use]
    pub fn inner(&self) -> Option<&E> {
        match self {
            Error::Rejected(_) => None,
            Error::Inner(error) => Some(error),
        }
    }

    /// The inner service's own error, if that is what this is. A rejection is dropped.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Error::Rejected(_) => None,
            Error::Inner(error) => Some(error),
        }
    }

    /// Converts the inner service's error and leaves a rejection as it is.
    pub fn map_inner<F>(self, map: impl FnOnce(E) -> F) -> Error<F> {
        match self {
            Error::Rejected(rejected) => Error::Rejected(rejected),
            Error::Inner(error) => Error::Inner(map(error)),
        }
    }

    /// Whether a layer answered the call itself.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.rejected().is_some()
    }

    /// The rejection, if that is what this is. A rejection inside the inner error belongs to the inner service.
    #[inline]
    #[must_use]
    pub fn rejected(&self) -> Option<&Rejected> {
        match self {
            Error::Rejected(rejected) => Some(rejected),
            Error::Inner(_) => None,
        }
    }
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Error<E> {
        Error::Rejected(rejected)
    }
}

impl<E> StackError for Error<E> {
    #[inline]
    fn rejected(&self) -> Option<&Rejected> {
        Error::rejected(self)
    }
}

/// The text of the inner error; a rejection is the source and prints its text there.
impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Rejected(_) => f.pad("call rejected"),
            Error::Inner(error) => error.fmt(f),
        }
    }
}

/// A rejection is the source, so that it is found when this error is boxed or wrapped; an inner error is passed
/// through.
impl<E: StdError> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Rejected(rejected) => Some(rejected),
            Error::Inner(error) => chain::source(error),
        }
    }
}
