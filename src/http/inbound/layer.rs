use std::sync::Arc;

use http::Request;
use tower_layer::Layer;

use super::builder::InboundBuilder;
use super::headers::Headers;
use super::service::InboundService;
use crate::context::Deadline;
use crate::deadline::Arrival;
use crate::machine::deadline::DeadlineLimits;
use crate::timeout::TimeoutNotifier;

/// Gives each request the deadline that its headers ask for, and rejects on arrival what has no time left, with
/// [`Rejected::DeadlineExceeded`](crate::Rejected::DeadlineExceeded). It is a [`DeadlineLayer`](crate::DeadlineLayer)
/// for HTTP, gRPC included: everything below consults the deadline, and an
/// [`OutboundLayer`](super::super::OutboundLayer) passes on what is left of it.
///
/// ```text
///   RespondLayer ─▶ InboundLayer ─▶ readiness ─▶ bulkhead ─▶ timeout ─▶ handler ─▶ … ─▶ OutboundLayer ─▶ the next hop
///     504 ◀───────────┘ none left         └─ consult what is left ─┘
/// ```
///
/// | the request has | its deadline is |
/// |---|---|
/// | `grpc-timeout` or `x-request-timeout-ms` | that much after it arrived; of several, the shortest; zero has passed |
/// | one that is malformed | the same without that one; the observer is notified once |
/// | none of them | [`default`](InboundBuilder::default) after it arrived, if that is set |
/// | an extension of type [`Deadline`] | the earlier of that and the above |
///
/// [`max`](InboundBuilder::max) caps all of these, and the deadline that is current where the service is called narrows
/// them. A request with none of them has no deadline, and costs a look at its headers.
///
/// `x-request-timeout-ms` is 1 to 10 decimal digits. `grpc-timeout` is 1 to 8 digits and one of `H`, `M`, `S`, `m`, `u`
/// and `n`. Everything else is malformed. Both are the time that remains, so that no clocks have to agree.
///
/// ```
/// use http::{Request, Response};
/// use seaworthy::http::InboundLayer;
/// use seaworthy::{BoxError, Deadline, DeadlineStage, Rejected, StackError};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let inbound = InboundLayer::builder()
///     .max(Duration::from_secs(30))
///     .default(Duration::from_secs(5))
///     .least(Duration::from_millis(2))
///     .build()?;
/// let service = ServiceBuilder::new()
///     .layer(inbound)
///     .service(service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Deadline::current()))));
///
/// let request = Request::builder().header("x-request-timeout-ms", "300").body(())?;
/// let deadline = service.clone().oneshot(request).await?.into_body();
/// assert_eq!(deadline.map(Deadline::remaining), Some(Duration::from_millis(300)));
///
/// let late = Request::builder().header("grpc-timeout", "1m").body(())?;
/// let error = service.oneshot(late).await.expect_err("1 ms is too little");
/// assert!(matches!(error.rejected(), Some(Rejected::DeadlineExceeded { stage: DeadlineStage::Arrival, .. })));
/// # Ok(())
/// # }
/// ```
///
/// # Across tasks
/// The deadline is current in the task that makes the call. tower's `Buffer` and others call what is below them in
/// another task, where it is not; nor is it in one that a handler spawns.
/// [`insert_extension`](InboundBuilder::insert_extension) puts it into the request, and [`inherit`](Self::inherit)
/// makes it current again below:
///
/// ```
/// # use http::{Request, Response};
/// # use seaworthy::{BoxError, http::InboundLayer};
/// # use tower::{ServiceBuilder, service_fn};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let service = ServiceBuilder::new()
///     .layer(InboundLayer::builder().insert_extension().build()?)
///     .buffer(100)
///     .layer(InboundLayer::inherit())
///     .service(service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(()))));
/// # let _ = service;
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct InboundLayer(Arc<Inbound>);

/// What the layer shares with its services.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Without it, only the extension counts.
    pub(super) headers: Option<Headers>,
    pub(super) limits: DeadlineLimits,
    pub(super) inserts_extension: bool,
    pub(super) notifier: TimeoutNotifier,
}

impl InboundLayer {
    /// Reads `grpc-timeout` and `x-request-timeout-ms`, and takes them at their word.
    pub fn new() -> InboundLayer {
        InboundLayer::of(Inbound { headers: Some(Headers::default()), ..Inbound::inheriting() })
    }

    /// Starts a builder.
    pub fn builder() -> InboundBuilder {
        InboundBuilder::new()
    }

    /// Takes the deadline from the request's extension only, into which another layer has
    /// [put](InboundBuilder::insert_extension) it: for below a layer that moves requests to another task.
    pub fn inherit() -> InboundLayer {
        InboundLayer::of(Inbound::inheriting())
    }

    pub(super) fn of(inbound: Inbound) -> InboundLayer {
        InboundLayer(Arc::new(inbound))
    }
}

impl Default for InboundLayer {
    fn default() -> InboundLayer {
        InboundLayer::new()
    }
}

impl<S> Layer<S> for InboundLayer {
    type Service = InboundService<S>;

    fn layer(&self, inner: S) -> InboundService<S> {
        InboundService::new(inner, Arc::clone(&self.0))
    }
}

impl Inbound {
    fn inheriting() -> Inbound {
        let notifier = TimeoutNotifier::default().or_default_observer();
        Inbound { headers: None, limits: DeadlineLimits::default(), inserts_extension: false, notifier }
    }

    /// The deadline of a request that arrives now, if it has one.
    #[inline]
    pub(super) fn deadline_for<B>(&self, request: &Request<B>, arrival: &Arrival) -> Option<Deadline> {
        let said = self.headers.as_ref().and_then(|headers| headers.shortest(request.headers(), &self.notifier));
        let time = said.or(self.limits.default);
        let extension = request.extensions().get::<Deadline>().copied().filter(|deadline| *deadline != Deadline::NEVER);
        let own = time.map(|time| arrival.within(time)).into_iter().chain(extension);
        let deadline = own.chain(Deadline::current()).min()?;
        Some(self.limits.max.map_or(deadline, |most| deadline.min(arrival.within(most))))
    }
}
