use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tower_layer::Layer;

use super::builder::OutboundBuilder;
use super::service::OutboundService;
use crate::context::Deadline;
use crate::error::{DeadlineStage, Rejected};
use crate::http::content_type::is_grpc;
use crate::http::timeout_headers::{GRPC_TIMEOUT, HeaderTime, REQUEST_TIMEOUT, header_value};
use crate::http::wire_timeout::Notation;
use crate::rt::time;
use crate::timeout::TimeoutNotifier;

/// Tells each service that is called how much of the call's time is left, and does not send what has none left.
///
/// It belongs below the retry and everything that waits, right above the client, so that each attempt sends what is
/// left when it is made. On the other side an [`InboundLayer`](super::super::InboundLayer) reads it, or whatever else
/// understands it.
///
/// ```text
///   InboundLayer ─▶ handler ─▶ retry ─▶ OutboundLayer ─▶ client ─ ─ ▶ InboundLayer ─▶ handler ─▶ OutboundLayer ─▶ …
///    2 s given       130 ms pass        x-request-timeout-ms: 1870                   180 ms     grpc-timeout: 1690000u
/// ```
///
/// | the request | header | its value |
/// |---|---|---|
/// | has no [deadline](crate::Deadline) | as the caller left it | |
/// | is gRPC | `grpc-timeout` | up to 8 digits and the finest unit that fits |
/// | is anything else | `x-request-timeout-ms`, or [another](OutboundBuilder::timeout_header) | whole milliseconds |
///
/// It is gRPC if its `content-type` is `application/grpc`, alone or followed by `+` or `;`.
///
/// The value is what is left at `call`, less the [allowance](Self::allowance), rounded down, or what the caller had put
/// there, if that is less. A request with less than 1 ms left, or 1 ns for gRPC, is not sent but answered with
/// [`Rejected::DeadlineExceeded`].
///
/// Only a time that remains is sent, never a time of day, so that clocks need not agree. Nobody subtracts the time that
/// a request is on its way: the other side counts from when it arrives. Set an [`allowance`](Self::allowance) for that
/// and for the way back, where it matters.
///
/// ```
/// use http::{Request, Response};
/// use seaworthy::http::OutboundLayer;
/// use seaworthy::{BoxError, Deadline};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let client = ServiceBuilder::new()
///     .layer(OutboundLayer::new().allowance(Duration::from_millis(5)))
///     .service(service_fn(async |request: Request<()>| {
///         Ok::<_, BoxError>(Response::new(request.headers().get("x-request-timeout-ms").cloned()))
///     }));
/// let answer = Deadline::within(Duration::from_millis(300)).scope(client.oneshot(Request::new(()))).await?;
/// assert_eq!(answer.into_body().ok_or("no header")?, "295");
/// # Ok(())
/// # }
/// ```
///
/// # Costs
/// Without a deadline: a look at a thread-local variable. With one: a clock reading, and an allocation for the header's
/// value; the header map may grow, too.
///
/// # Clone
/// Costs a reference count if a name or an observer was set, and one if the header was renamed.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct OutboundLayer(pub(super) Outbound);

/// What the layer gives to each of its services.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    pub(super) allowance: Duration,
    pub(super) header: HeaderName,
    pub(super) notifier: TimeoutNotifier,
}

impl OutboundLayer {
    /// With `x-request-timeout-ms`, `grpc-timeout`, and no allowance.
    pub fn new() -> OutboundLayer {
        let notifier = TimeoutNotifier::default().or_default_observer();
        OutboundLayer(Outbound { allowance: Duration::ZERO, header: REQUEST_TIMEOUT, notifier })
    }

    /// Starts a builder, for what [`new`](Self::new) does not have.
    pub fn builder() -> OutboundBuilder {
        OutboundBuilder::default()
    }

    /// Promises this much less than what is left, for the time that request and response are on their way: so the other
    /// side gives up while its answer could still arrive. What has no more than this left is not sent.
    pub fn allowance(mut self, time: Duration) -> OutboundLayer {
        self.0.allowance = time;
        self
    }

    /// Writes what is left of the [current](Deadline::current) deadline into these headers of a gRPC request, as the
    /// layer does, for clients that have no place for a layer. Without a deadline it does nothing.
    ///
    /// # Errors
    /// [`Rejected::DeadlineExceeded`] if less than 1 ns is left: do not send the request.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use seaworthy::Deadline;
    /// use seaworthy::http::OutboundLayer;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), seaworthy::Rejected> {
    /// let (outbound, mut headers) = (OutboundLayer::new(), HeaderMap::new());
    /// let write = async { outbound.write_grpc_timeout(&mut headers) };
    /// Deadline::within(Duration::from_millis(1500)).scope(write).await?;
    /// assert_eq!(headers["grpc-timeout"], "1500000u");
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_grpc_timeout(&self, headers: &mut HeaderMap) -> Result<(), Rejected> {
        let write = |deadline| self.0.write(deadline, headers, GRPC_TIMEOUT, Notation::Grpc);
        Deadline::current().map_or(Ok(()), write)
    }
}

impl Default for OutboundLayer {
    fn default() -> OutboundLayer {
        OutboundLayer::new()
    }
}

impl<S> Layer<S> for OutboundLayer {
    type Service = OutboundService<S>;

    fn layer(&self, inner: S) -> OutboundService<S> {
        OutboundService::new(inner, self.0.clone())
    }
}

impl Outbound {
    /// Writes what is left into the headers.
    pub(super) fn stamp(&self, deadline: Deadline, headers: &mut HeaderMap) -> Result<(), Rejected> {
        match is_grpc(headers) {
            true => self.write(deadline, headers, GRPC_TIMEOUT, Notation::Grpc),
            false => self.write(deadline, headers, self.header.clone(), Notation::Millis),
        }
    }

    fn write(
        &self,
        deadline: Deadline,
        headers: &mut HeaderMap,
        name: HeaderName,
        notation: Notation,
    ) -> Result<(), Rejected> {
        let now = time::now();
        let left = deadline.timestamp().since(now).saturating_sub(self.allowance);
        let left = HeaderTime::by(headers, &name, notation).time.map_or(left, |said| said.min(left));
        let Some(value) = header_value(notation, left) else {
            let late = now.since(deadline.timestamp());
            return Err(self.notifier.deadline_exceeded(DeadlineStage::Arrival, late));
        };
        // With 24,000 other headers there is no room for this one, and the request will get no further anyway.
        let _no_room = headers.try_insert(name, value);
        Ok(())
    }
}
