use std::time::Duration;

use super::layer::BodyTimeoutLayer;
use super::watch::Limits;
use crate::error::ConfigError;
use crate::name::Name;
use crate::observe::observer::Observer;
use crate::timeout::TimeoutNotifier;

/// The settings of a [`BodyTimeoutLayer`]. Made by [`BodyTimeoutLayer::builder`]; nothing is checked before
/// [`build`](Self::build).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct BodyTimeoutBuilder {
    idle: Option<Duration>,
    total: Option<Duration>,
    deadline: bool,
    notifier: TimeoutNotifier,
}

impl BodyTimeoutBuilder {
    /// Ends a body whose next frame takes longer. The time counts only while a reader waits for the frame, so that a
    /// slow reader does not use it up. More than zero; no limit if not set, or if it is a duration that the clock
    /// cannot represent.
    pub fn idle(mut self, limit: Duration) -> BodyTimeoutBuilder {
        self.idle = Some(limit);
        self
    }

    /// Ends a body that takes longer as a whole, counted from the response head, whether or not a reader waits. More
    /// than zero; no limit if not set, or if it is a duration that the clock cannot represent.
    pub fn total(mut self, limit: Duration) -> BodyTimeoutBuilder {
        self.total = Some(limit);
        self
    }

    /// Ends a body at the [deadline](crate::Deadline) of its call: the one that is current when the service is called.
    /// Without this, a deadline ends with the response head. A frame that is there still passes after it, so that it
    /// takes no clock reading for each frame; a [`total`](Self::total) limit also ends a body that always has one.
    pub fn deadline(mut self) -> BodyTimeoutBuilder {
        self.deadline = true;
        self
    }

    /// A name for logs and events. Must not be empty; none if not set.
    pub fn name(mut self, name: impl Into<Name>) -> BodyTimeoutBuilder {
        self.notifier.set_name(&name.into());
        self
    }

    /// Notifies `observer` of each body that is cut off, instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> BodyTimeoutBuilder {
        self.notifier.set_observer(observer);
        self
    }

    /// Checks the settings and builds a layer. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<BodyTimeoutLayer, ConfigError> {
        let timeout = self.notifier.subject("body timeout")?;
        timeout.time("idle", self.idle)?;
        timeout.time("total", self.total)?;
        Ok(BodyTimeoutLayer::built(Limits::new(self.idle, self.total, self.deadline), self.notifier))
    }
}
