use std::time::Duration;

use super::layer::{Outbound, OutboundLayer};
use crate::error::ConfigError;
use crate::http::timeout_headers::{REQUEST_TIMEOUT, millis_header};
use crate::name::Name;
use crate::observe::observer::Observer;
use crate::timeout::TimeoutNotifier;

/// The settings of an [`OutboundLayer`]. Made by [`OutboundLayer::builder`]; nothing is checked before
/// [`build`](Self::build).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct OutboundBuilder {
    allowance: Duration,
    timeout_header: Option<Box<str>>,
    notifier: TimeoutNotifier,
}

impl OutboundBuilder {
    /// Promises this much less than what is left: see [`OutboundLayer::allowance`]. Nothing if not set.
    pub fn allowance(mut self, time: Duration) -> OutboundBuilder {
        self.allowance = time;
        self
    }

    /// Writes the milliseconds into this header in place of `x-request-timeout-ms`. gRPC's header keeps its name.
    pub fn timeout_header(mut self, name: impl AsRef<str>) -> OutboundBuilder {
        self.timeout_header = Some(name.as_ref().into());
        self
    }

    /// A name for logs, events and metrics. Must not be empty; none if not set.
    pub fn name(mut self, name: impl Into<Name>) -> OutboundBuilder {
        self.notifier.set_name(&name.into());
        self
    }

    /// Notifies `observer` of requests that are not sent, instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> OutboundBuilder {
        self.notifier.set_observer(observer);
        self
    }

    /// Checks the settings and builds a layer. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule: an empty name, a name that no header can have, or gRPC's
    /// name for a header with milliseconds.
    ///
    /// ```
    /// use seaworthy::http::OutboundLayer;
    ///
    /// let error = OutboundLayer::builder().timeout_header("time left").build().unwrap_err();
    /// assert_eq!((error.field(), error.value()), ("timeout_header", "\"time left\""));
    /// ```
    pub fn build(self) -> Result<OutboundLayer, ConfigError> {
        let OutboundBuilder { allowance, timeout_header, notifier } = self;
        let outbound = notifier.subject("outbound layer")?;
        let header = timeout_header.map(|name| millis_header(outbound, "timeout_header", &name)).transpose()?;
        let header = header.unwrap_or(REQUEST_TIMEOUT);
        Ok(OutboundLayer(Outbound { allowance, header, notifier: notifier.or_default_observer() }))
    }
}
