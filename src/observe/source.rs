use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
#[cfg(feature = "metrics")]
use std::sync::{Arc, OnceLock};

use crate::name::Name;

/// What an event is about, besides a name: the family the handle belongs to, if any.
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

/// What an observer looked up for a handle, which keeps it so that it is not looked up for each event.
#[derive(Default)]
pub(crate) struct ObserverCache {
    #[cfg(feature = "metrics")]
    /// The series, and whether they are those of a single key.
    pub(crate) series: OnceLock<(Arc<super::metrics::NamedSeries>, bool)>,
}

/// A clone belongs to another handle, for which nothing has been looked up yet.
impl Clone for ObserverCache {
    fn clone(&self) -> ObserverCache {
        ObserverCache::default()
    }
}

/// What is in it belongs to the observer, and is complete after each step.
impl UnwindSafe for ObserverCache {}
impl RefUnwindSafe for ObserverCache {}

impl fmt::Debug for ObserverCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObserverCache")
    }
}
