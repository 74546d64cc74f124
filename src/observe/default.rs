use std::sync::{Arc, OnceLock};

use super::notifier::Notifier;
use super::observer::Observer;

static DEFAULT: OnceLock<Notifier> = OnceLock::new();

/// A default observer was already set, and stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a default observer was set already")]
#[non_exhaustive]
pub struct DefaultAlreadySet {}

/// Makes `observer` the default: everything built from now on reports to it unless given another observer. That is
/// handles, layers, policies from code or data, runners and probers.
///
/// An application calls this once, before it builds anything; a library does not call it. What was built before keeps
/// its observer.
///
/// # Errors
/// A default was already set. `observer` is dropped.
///
/// ```standalone_crate
/// use seaworthy::{CircuitBreaker, Event, TracingObserver, observe};
///
/// let count = |_event: &Event<'_>| { /* … */ };
/// observe::set_default((TracingObserver, count))?;
/// // Reports to both.
/// let circuit_breaker = CircuitBreaker::builder("payments").build()?;
/// # let _ = circuit_breaker;
///
/// assert!(observe::set_default(TracingObserver).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_default(observer: impl Observer + 'static) -> Result<(), DefaultAlreadySet> {
    DEFAULT.set(Notifier::unnamed(Arc::new(observer))).map_err(|_dropped| DefaultAlreadySet {})
}

/// The notifier for whatever is built without an observer, if a default was set.
pub(crate) fn default() -> Option<&'static Notifier> {
    DEFAULT.get()
}
