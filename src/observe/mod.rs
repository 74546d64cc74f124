//! Who is told what happens, where nobody was named.
//!
//! A handle tells the observer that its builder was given. Where it was given none, that is the one of
//! [`set_default`], and where there is none either, [`TracingObserver`](crate::TracingObserver).

pub(crate) mod event;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod notifier;
pub(crate) mod observer;
pub(crate) mod tracing;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};

use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;

static DEFAULT: OnceLock<Notifier> = OnceLock::new();

/// There is a default observer already, which stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a default observer was set already")]
#[non_exhaustive]
pub struct DefaultAlreadySet {}

/// Tells `observer` what happens in everything that is built from now on and is not given an observer of its own: handles,
/// layers, policies from code or data, runners and probers.
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

/// What an event is about, beside its name: which family it belongs to, if it does.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    family: Option<&'a Name>,
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only `MetricsObserver` remembers anything"))]
    cache: &'a ObserverCache,
}

impl<'a> Source<'a> {
    /// The name of the [`Keyed`](crate::Keyed) that made this handle for one of its keys, or as its overflow.
    #[must_use]
    pub fn family(&self) -> Option<&'a Name> {
        self.family
    }

    pub(crate) fn new(family: Option<&'a Name>, cache: &'a ObserverCache) -> Source<'a> {
        Source { family, cache }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn cache(&self) -> &'a ObserverCache {
        self.cache
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("family", &self.family).finish_non_exhaustive()
    }
}

/// Where a handle keeps what an observer found for it, so that it is not looked up for each event.
#[derive(Default)]
pub(crate) struct ObserverCache {
    #[cfg(feature = "metrics")]
    /// And whether they are those of a key.
    pub(crate) series: OnceLock<(Arc<crate::observe::metrics::NamedSeries>, bool)>,
}

/// A copy is of another handle, for which nothing was found yet.
impl Clone for ObserverCache {
    fn clone(&self) -> ObserverCache {
        ObserverCache::default()
    }
}

/// What is in it is the observer's, and whole after each step.
impl UnwindSafe for ObserverCache {}
impl RefUnwindSafe for ObserverCache {}

impl fmt::Debug for ObserverCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObserverCache")
    }
}
