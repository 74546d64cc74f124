use std::time::Duration;

use super::headers::Headers;
use super::layer::{Inbound, InboundLayer};
use crate::error::ConfigError;
use crate::http::timeout_headers::{REQUEST_TIMEOUT, millis_header};
use crate::machine::deadline::DeadlineLimits;
use crate::name::Name;
use crate::observe::observer::Observer;
use crate::timeout::TimeoutNotifier;

/// The settings of an [`InboundLayer`]. Made by [`InboundLayer::builder`]; nothing is checked before
/// [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct InboundBuilder {
    limits: DeadlineLimits,
    timeout_header: Option<Box<str>>,
    also_read: Vec<Box<str>>,
    inserts_extension: bool,
    notifier: TimeoutNotifier,
}

impl InboundBuilder {
    pub(super) fn new() -> InboundBuilder {
        InboundBuilder {
            limits: DeadlineLimits::default(),
            timeout_header: None,
            also_read: Vec::new(),
            inserts_extension: false,
            notifier: TimeoutNotifier::default(),
        }
    }

    /// Gives no request more time than this, whatever it asks for. More than zero; no cap if not set, or if it is a
    /// duration that the clock cannot represent. It gives no deadline to a request that has none: for these there is
    /// [`default`](Self::default).
    pub fn max(mut self, most: Duration) -> InboundBuilder {
        self.limits.max = Some(most);
        self
    }

    /// Gives this much time to a request whose headers say nothing, or nothing that is well-formed. More than zero, and
    /// not more than [`max`](Self::max); such a request has no deadline if not set.
    pub fn default(mut self, time: Duration) -> InboundBuilder {
        self.limits.default = Some(time);
        self
    }

    /// Rejects on arrival what has less than this left: too little to be worth the work. More than zero, and not more
    /// than [`max`](Self::max) and [`default`](Self::default). If not set, a request is rejected when nothing is left.
    pub fn least(mut self, least: Duration) -> InboundBuilder {
        self.limits.least = Some(least);
        self
    }

    /// Reads the milliseconds in this header in place of `x-request-timeout-ms`.
    pub fn timeout_header(mut self, name: impl AsRef<str>) -> InboundBuilder {
        self.timeout_header = Some(name.as_ref().into());
        self
    }

    /// Reads the milliseconds in this header, too, for instance in Envoy's `x-envoy-expected-rq-timeout-ms`. The
    /// shortest time counts. Can be called more than once.
    pub fn also_read(mut self, name: impl AsRef<str>) -> InboundBuilder {
        self.also_read.push(name.as_ref().into());
        self
    }

    /// Puts the [`Deadline`](crate::Deadline) into the request's extensions, for handlers that go on in another task,
    /// and for an [`InboundLayer::inherit`] below a layer that does. It is off, because the first extension of a
    /// request allocates.
    pub fn insert_extension(mut self) -> InboundBuilder {
        self.inserts_extension = true;
        self
    }

    /// A name for logs, events and metrics. Must not be empty; none if not set.
    pub fn name(mut self, name: impl Into<Name>) -> InboundBuilder {
        self.notifier.set_name(&name.into());
        self
    }

    /// Notifies `observer` of requests that are rejected, and of malformed headers, instead of the
    /// [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> InboundBuilder {
        self.notifier.set_observer(observer);
        self
    }

    /// Checks the settings and builds a layer. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule: a time of zero, a default or a least above the cap, a least
    /// above the default, a name that no header can have, or gRPC's name for a header with milliseconds.
    ///
    /// ```
    /// use seaworthy::http::InboundLayer;
    /// use std::time::Duration;
    ///
    /// let builder = InboundLayer::builder().max(Duration::from_secs(5)).default(Duration::from_secs(9));
    /// assert_eq!(builder.build().unwrap_err().to_string(), "inbound layer: default is 9s, must not be above `max`");
    /// ```
    pub fn build(self) -> Result<InboundLayer, ConfigError> {
        let InboundBuilder { limits, timeout_header, also_read, inserts_extension, notifier } = self;
        let inbound = notifier.subject("inbound layer")?;
        if let Some((field, time, rule)) = limits.flaw() {
            return Err(inbound.refuse(field, time, rule));
        }
        let renamed = timeout_header.map(|name| millis_header(inbound, "timeout_header", &name)).transpose()?;
        let mut millis = vec![renamed.unwrap_or(REQUEST_TIMEOUT)];
        for name in also_read {
            let parsed = millis_header(inbound, "also_read", &name)?;
            inbound.require(!millis.contains(&parsed), "also_read", &name, "must not be read already")?;
            millis.push(parsed);
        }
        let headers = Some(Headers::new(millis));
        let notifier = notifier.or_default_observer();
        Ok(InboundLayer::of(Inbound { headers, limits, inserts_extension, notifier }))
    }
}
