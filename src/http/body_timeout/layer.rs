use http_body::Body;
use tower_layer::Layer;

use super::body::TimeoutBody;
use super::builder::BodyTimeoutBuilder;
use super::service::BodyTimeoutService;
use super::watch::{BodyWatch, Limits};
use crate::context;
use crate::machine::timestamp::Timestamp;
use crate::policy::BodySettings;
use crate::timeout::TimeoutNotifier;

/// Ends response bodies that take too long with an error, and drops the inner body.
///
/// A [`Timeout`](crate::Timeout) ends with the response head. What follows is the body, which may well be an infinite
/// stream; so there are separate limits for it, each optional, and without any the layer has no effect.
///
/// | limit | time counts | ends the body when |
/// |---|---|---|
/// | [`idle`](BodyTimeoutBuilder::idle) | while a reader waits for a frame | the next frame has not come |
/// | [`total`](BodyTimeoutBuilder::total) | from the response head on | the body has not ended |
/// | [`deadline`](BodyTimeoutBuilder::deadline) | it is the call's | a reader waits for a frame then |
///
/// The error is a [`BoxError`](crate::BoxError) that holds [`Rejected::TimedOut`](crate::Rejected::TimedOut), or
/// [`Rejected::DeadlineExceeded`](crate::Rejected::DeadlineExceeded) for the deadline; find it with
/// [`StackError::rejected`](crate::StackError::rejected). It can no longer become a response, because the head has
/// been sent: a server closes the connection, which tells a client that the body is incomplete.
///
/// A body whose frames are ready when they are polled for costs no timer. With a total limit the clock is read for the
/// head and for each frame.
///
/// ```
/// use seaworthy::http::BodyTimeoutLayer;
/// use std::time::Duration;
/// use tower::ServiceBuilder;
///
/// # fn main() -> Result<(), seaworthy::ConfigError> {
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "hello"))
///     .layer(BodyTimeoutLayer::builder().idle(Duration::from_secs(10)).total(Duration::from_secs(600)).build()?);
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs a reference count if a name or an observer was set.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BodyTimeoutLayer {
    limits: Limits,
    notifier: TimeoutNotifier,
}

impl BodyTimeoutLayer {
    /// Starts a builder.
    pub fn builder() -> BodyTimeoutBuilder {
        BodyTimeoutBuilder::default()
    }

    /// With the call's deadline as the only limit: see [`BodyTimeoutBuilder::deadline`].
    ///
    /// ```
    /// use http::{Request, Response};
    /// use http_body_util::BodyExt;
    /// use seaworthy::http::{BodyTimeoutLayer, InboundLayer};
    /// use seaworthy::{BoxError, DeadlineStage, Rejected, StackError};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # struct Endless;
    /// # impl http_body::Body for Endless {
    /// #     type Data = bytes::Bytes;
    /// #     type Error = BoxError;
    /// #     fn poll_frame(
    /// #         self: std::pin::Pin<&mut Self>,
    /// #         _: &mut std::task::Context<'_>,
    /// #     ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
    /// #         std::task::Poll::Pending
    /// #     }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BoxError> {
    /// let service = ServiceBuilder::new()
    ///     .layer(InboundLayer::new())
    ///     .layer(BodyTimeoutLayer::deadline())
    ///     .service(service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Endless))));
    ///
    /// let request = Request::builder().header("x-request-timeout-ms", "300").body(())?;
    /// let response = service.oneshot(request).await?;
    /// let error = response.into_body().collect().await.expect_err("there is never a frame");
    /// assert!(matches!(error.rejected(), Some(Rejected::DeadlineExceeded { stage: DeadlineStage::Body, .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline() -> BodyTimeoutLayer {
        BodyTimeoutLayer::built(Limits::new(None, None, true), TimeoutNotifier::default())
    }

    /// For the bodies of a policy; none if nothing is limited.
    pub(crate) fn of_policy(limits: BodySettings, notifier: &TimeoutNotifier) -> Option<BodyTimeoutLayer> {
        let is_limited = limits.idle.or(limits.total).is_some();
        let limits = Limits::new(limits.idle, limits.total, false);
        is_limited.then(|| BodyTimeoutLayer { limits, notifier: notifier.clone() })
    }

    pub(super) fn built(limits: Limits, notifier: TimeoutNotifier) -> BodyTimeoutLayer {
        BodyTimeoutLayer { limits, notifier: notifier.or_default_observer() }
    }

    /// Puts the limits around a body without a service: a request body, for instance. The total time begins now, and
    /// the deadline is the one that is current now.
    ///
    /// ```
    /// use http_body_util::{BodyExt, Full};
    /// use seaworthy::{BoxError, http::BodyTimeoutLayer};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let uploads = BodyTimeoutLayer::builder().idle(Duration::from_secs(10)).build()?;
    /// let body = uploads.wrap(Full::new(bytes::Bytes::from("hello")));
    /// assert_eq!(body.collect().await?.to_bytes(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap<B: Body>(&self, body: B) -> TimeoutBody<B> {
        self.wrap_until(self.current_deadline(), body)
    }

    /// The deadline of the call that is being made here, if it counts; or never.
    #[inline]
    pub(super) fn current_deadline(&self) -> Timestamp {
        if self.limits.deadline { context::deadline() } else { Timestamp::NEVER }
    }

    pub(super) fn wrap_until<B: Body>(&self, deadline: Timestamp, body: B) -> TimeoutBody<B> {
        let watch = match body.is_end_stream() {
            true => BodyWatch::without_limits(),
            false => BodyWatch::new(self.limits, deadline, self.notifier.clone()),
        };
        TimeoutBody::new(body, watch)
    }
}

impl<S> Layer<S> for BodyTimeoutLayer {
    type Service = BodyTimeoutService<S>;

    fn layer(&self, inner: S) -> BodyTimeoutService<S> {
        BodyTimeoutService::new(inner, self.clone())
    }
}
