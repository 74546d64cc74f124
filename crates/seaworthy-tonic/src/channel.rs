use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;
use seaworthy::{BoxError, Deadline, DeadlineStage, Rejected};
use tonic::TimeoutExpired;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::TonicError;
use crate::status::chain;

/// Lets a tonic `Channel` stand at the bottom of a stack: its errors become [`TonicError`]s, which hold a status, and
/// it takes requests with any body, such as the [`ReplayBody`](seaworthy::http::ReplayBody) of a retry.
///
/// It takes the place that a [`WrapErrorLayer`](seaworthy::WrapErrorLayer) has elsewhere. Responses are passed on as
/// they are.
///
/// | the channel | the error is |
/// |---|---|
/// | has no connection | `Unavailable` |
/// | ends the call after its own `timeout`, or after the `grpc-timeout` of the request | `Cancelled`, as tonic says |
/// | the same, and the call's [deadline](Deadline) has passed | [`Rejected::DeadlineExceeded`] |
/// | fails in another way | the code that tonic gives it, mostly `Unknown` or `Internal` |
///
/// ```
/// use seaworthy::{CircuitBreaker, RetryPolicy, http::grpc::GrpcMethods};
/// use seaworthy_tonic::ChannelLayer;
/// use tonic::transport::Channel;
/// use tower::ServiceBuilder;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let circuit_breaker = CircuitBreaker::builder("cart").build()?;
/// let retry = RetryPolicy::builder("cart").build()?;
/// let idempotent = GrpcMethods::builder().idempotent("/shop.Cart/Get").build()?;
///
/// let stack = ServiceBuilder::new()
///     .layer(retry.grpc_layer(idempotent))
///     .layer(circuit_breaker.grpc_layer())
///     .layer(ChannelLayer::new())
///     .service(Channel::from_static("http://cart:50051").connect_lazy());
/// // A generated client takes it like a channel: `CartClient::new(stack)`.
/// let client = tonic::client::Grpc::new(stack);
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct ChannelLayer(());

impl ChannelLayer {
    /// A new layer; it has no settings.
    pub const fn new() -> ChannelLayer {
        ChannelLayer(())
    }
}

impl<S> Layer<S> for ChannelLayer {
    type Service = ChannelService<S>;

    fn layer(&self, channel: S) -> ChannelService<S> {
        ChannelService { channel }
    }
}

/// The service made by [`ChannelLayer`].
#[derive(Clone, Copy, Debug)]
pub struct ChannelService<S> {
    channel: S,
}

impl<S, B> Service<Request<B>> for ChannelService<S>
where
    S: Service<Request<Body>>,
    S::Error: Into<BoxError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = TonicError;
    type Future = ChannelFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TonicError>> {
        self.channel.poll_ready(cx).map_err(error_of)
    }

    fn call(&mut self, request: Request<B>) -> ChannelFuture<S::Future> {
        ChannelFuture { inner: self.channel.call(request.map(Body::new)) }
    }
}

pin_project! {
    /// The response future of [`ChannelService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ChannelFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, T, E> Future for ChannelFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, TonicError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(error_of)
    }
}

/// A channel has a timer of its own for `grpc-timeout`, and ends the call as if the caller had. When time is up, it is
/// the deadline that ended it, whichever timer was first.
fn error_of(error: impl Into<BoxError>) -> TonicError {
    let error = error.into();
    if chain(&*error).any(|error| error.is::<TimeoutExpired>()) && Deadline::current().is_some_and(Deadline::has_passed)
    {
        return TonicError::from(Rejected::DeadlineExceeded { stage: DeadlineStage::Attempt });
    }
    TonicError::from_error(error)
}
