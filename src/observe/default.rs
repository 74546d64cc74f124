use std::sync::{Arc, OnceLock};

use super::notifier::Notifier;
use super::observer::Observer;

static DEFAULT: OnceLock<Notifier> = OnceLock::new();

/// There is a default observer already, which stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a default observer was set already")]
#[non_exhaustive]
pub struct DefaultAlreadySet {}

/// Tells `observer` what happens in everything that is built from now on and is not given an observer of its own:
/// handles, layers, policies from code or data, runners and probers.
///
/// For an application, once, before it builds anything; a library leaves it alone. What was built before keeps telling
/// whom it told.
///
/// # Errors
/// There is one already. `observer` is dropped.
///
/// ```standalone_crate
/// use seaworthy::{CircuitBreaker, Event, TracingObserver, observe};
///
/// let count = |_event: &Event<'_>| { /* … */ };
/// observe::set_default((TracingObserver, count))?;
/// // Tells both.
/// let circuit_breaker = CircuitBreaker::builder("payments").build()?;
/// # let _ = circuit_breaker;
///
/// assert!(observe::set_default(TracingObserver).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_default(observer: impl Observer + 'static) -> Result<(), DefaultAlreadySet> {
    DEFAULT.set(Notifier::unnamed(Arc::new(observer))).map_err(|_dropped| DefaultAlreadySet {})
}

/// Who is told where nobody was named, if somebody was set.
pub(crate) fn default() -> Option<&'static Notifier> {
    DEFAULT.get()
}
