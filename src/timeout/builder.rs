use std::time::Duration;

use super::handle::Timeout;
use super::limit::FixedTimeout;
use super::notifier::TimeoutNotifier;
use crate::error::ConfigError;
use crate::name::Name;
use crate::observe::observer::Observer;

/// The settings of a [`Timeout`]. Made by [`Timeout::builder`] and [`Timeout::per_request`]; nothing is
/// checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct TimeoutBuilder<D = FixedTimeout> {
    limit: D,
    notifier: TimeoutNotifier,
}

impl TimeoutBuilder {
    pub(super) fn fixed(after: Duration) -> TimeoutBuilder {
        TimeoutBuilder { limit: FixedTimeout::new(after), notifier: TimeoutNotifier::default() }
    }
}

impl<D> TimeoutBuilder<D> {
    pub(super) fn per_request(limit: D) -> TimeoutBuilder<D> {
        TimeoutBuilder { limit, notifier: TimeoutNotifier::default() }
    }

    /// A name for logs and events. Must not be empty; none if not set. With a name, each call costs a reference count.
    pub fn name(mut self, name: impl Into<Name>) -> TimeoutBuilder<D> {
        self.notifier.set_name(&name.into());
        self
    }

    /// Reports each call that times out to `observer` instead of the [default](crate::observe). With an observer, each
    /// call costs a reference count.
    pub fn observer(mut self, observer: impl Observer + 'static) -> TimeoutBuilder<D> {
        self.notifier.set_observer(observer);
        self
    }

    /// Checks the settings and builds a timeout. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// An empty name; the field is `name`.
    pub fn build(self) -> Result<Timeout<D>, ConfigError> {
        self.notifier.subject("timeout")?;
        Ok(Timeout::built(self.limit, self.notifier))
    }
}
