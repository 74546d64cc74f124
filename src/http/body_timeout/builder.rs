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
    limits: Limits,
    notifier: TimeoutNotifier,
}

impl BodyTimeoutBuilder {
    /// Gives up a body whose next frame does not come within this time. It is counted only while somebody waits for
    /// the frame, so a slow reader is never given up for it. More than zero; no limit if not set, or if it is too long
    /// to be told.
    pub fn idle(mut self, limit: Duration) -> BodyTimeoutBuilder {
        self.limits.idle = Some(limit);
        self
    }

    /// Gives up a body that has not ended this long after the response head. It is counted whether somebody waits or
    /// not. More than zero; no limit if not set, or if it is too long to be told.
    pub fn total(mut self, limit: Duration) -> BodyTimeoutBuilder {
        self.limits.total = Some(limit);
        self
    }

    /// A name for logs and events. Must not be empty; none if not set.
    pub fn name(mut self, name: impl Into<Name>) -> BodyTimeoutBuilder {
        self.notifier.set_name(&name.into());
        self
    }

    /// Tells `observer` of each body that is given up, in place of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> BodyTimeoutBuilder {
        self.notifier.set_observer(observer);
        self
    }

    /// Checks the settings and makes a layer of them. Nothing about settings fails later.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<BodyTimeoutLayer, ConfigError> {
        let timeout = self.notifier.subject("body timeout")?;
        timeout.time("idle", self.limits.idle)?;
        timeout.time("total", self.limits.total)?;
        Ok(BodyTimeoutLayer::built(self.limits, self.notifier))
    }
}
