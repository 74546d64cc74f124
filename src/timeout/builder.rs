use std::time::Duration;

use super::announcer::Announcer;
use super::layer::TimeoutLayer;
use super::limit::FixedTimeout;
use crate::{ConfigError, Name, Observer};

/// The settings of a [`TimeoutLayer`]. Made by [`TimeoutLayer::builder`] and [`TimeoutLayer::per_request`]; nothing is
/// checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct TimeoutBuilder<D = FixedTimeout> {
    limit: D,
    announcer: Announcer,
}

impl TimeoutBuilder {
    pub(super) fn fixed(after: Duration) -> TimeoutBuilder {
        TimeoutBuilder { limit: FixedTimeout::new(after), announcer: Announcer::default() }
    }
}

impl<D> TimeoutBuilder<D> {
    pub(super) fn per_request(limit: D) -> TimeoutBuilder<D> {
        TimeoutBuilder { limit, announcer: Announcer::default() }
    }

    /// A name for logs and events. Must not be empty; none if not set. With a name, each call costs a reference count.
    pub fn name(mut self, name: impl Into<Name>) -> TimeoutBuilder<D> {
        self.announcer.set_name(&name.into());
        self
    }

    /// Tells `observer` of each call that is given up, in place of the [default](crate::observe). With an
    /// observer, each call costs a reference count.
    pub fn observer(mut self, observer: impl Observer + 'static) -> TimeoutBuilder<D> {
        self.announcer.set_observer(observer);
        self
    }

    /// Checks the settings and makes a layer of them. Nothing about settings fails later.
    ///
    /// # Errors
    /// An empty name; the field is `name`.
    pub fn build(self) -> Result<TimeoutLayer<D>, ConfigError> {
        self.announcer.subject("timeout")?;
        Ok(TimeoutLayer::built(self.limit, self.announcer))
    }
}
