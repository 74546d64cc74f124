use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::answer::{GrpcAnswer, GrpcOrHttp};
use crate::error::Rejected;
use crate::grpc::code::Code;
use crate::http::answer::{ByStatus, RejectionResponse};
use crate::http::body::RespondBody;
use crate::http::content_type::is_grpc;
use crate::http::respond::{RespondFuture, RespondLayer, RespondService, SplitError};

/// Answers rejections of the layers below in the protocol of the request, and narrows the error type again, as
/// [`RespondLayer`] does: gRPC requests get a code, and all others what `RespondLayer` answers, so that one layer is
/// enough for a port that serves both.
///
/// Over gRPC the response is the head alone: HTTP status 200, the `grpc-status` of
/// [`grpc_status_of`](super::grpc_status_of), a `grpc-message` such as `circuit open` that names the kind of rejection
/// and nothing else, and `grpc-retry-pushback-ms` where the caller is told when to come again, or not to.
///
/// A request is gRPC if its `content-type` is `application/grpc`, alone or followed by `+` or `;`. One of grpc-web is
/// answered as HTTP.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use seaworthy::http::grpc::GrpcRespondLayer;
/// use seaworthy::{CircuitBreaker, WrapErrorLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let circuit_breaker = CircuitBreaker::builder("backend").build()?;
/// let service = ServiceBuilder::new()
///     .layer(GrpcRespondLayer::new()) // Error<Infallible> -> Infallible
///     .layer(circuit_breaker.layer())
///     .layer(WrapErrorLayer::new()) // Infallible -> Error<Infallible>
///     .service(service_fn(async |_: Request<Full<Bytes>>| {
///         Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
///     }));
///
/// circuit_breaker.force_open();
/// let request = Request::post("/shop.Cart/Get").header("content-type", "application/grpc").body(Full::default())?;
/// let response = service.clone().oneshot(request).await?;
/// assert_eq!((response.status().as_u16(), &response.headers()["grpc-status"]), (200, &"14".parse()?));
///
/// let response = service.oneshot(Request::get("/").body(Full::default())?).await?;
/// assert_eq!(response.status(), 503);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct GrpcRespondLayer<A = ByStatus> {
    http: A,
    grpc: Option<Arc<GrpcAnswer>>,
}

impl GrpcRespondLayer {
    /// Answers with the codes of [`grpc_status_of`](super::grpc_status_of), and HTTP requests as
    /// [`RespondLayer::new`] does.
    pub const fn new() -> GrpcRespondLayer {
        GrpcRespondLayer { http: ByStatus::DEFAULT, grpc: None }
    }
}

impl<A> GrpcRespondLayer<A> {
    /// Answers gRPC requests with other codes. [`Rejected`] may get more variants: pass the unknown ones on to
    /// [`grpc_status_of`](super::grpc_status_of).
    ///
    /// ```
    /// use seaworthy::Rejected;
    /// use seaworthy::http::grpc::{Code, GrpcRespondLayer, grpc_status_of};
    ///
    /// let layer = GrpcRespondLayer::new().status(|rejected| match rejected {
    ///     Rejected::BulkheadFull { .. } => Code::Unavailable,
    ///     other => grpc_status_of(other),
    /// });
    /// # let _ = layer;
    /// ```
    pub fn status(self, status: fn(&Rejected) -> Code) -> GrpcRespondLayer<A> {
        self.set(|answer| answer.status = status)
    }

    /// Answers gRPC requests with this `grpc-message`, which may say anything: it is encoded on its way, and may
    /// capture state. What it says is for clients to see. A server may limit the size of headers, and so the message's.
    ///
    /// ```
    /// use seaworthy::Rejected;
    /// use seaworthy::http::grpc::GrpcRespondLayer;
    ///
    /// let layer = GrpcRespondLayer::new().message(|rejected| match rejected {
    ///     Rejected::BulkheadFull { .. } => "too many orders, see https://status.example",
    ///     _ => "not available",
    /// });
    /// # let _ = layer;
    /// ```
    pub fn message<F, T>(self, message: F) -> GrpcRespondLayer<A>
    where
        F: Fn(&Rejected) -> T + Send + Sync + 'static,
        T: Into<Cow<'static, str>>,
    {
        self.set(|answer| answer.message = Some(Arc::new(move |rejected| message(rejected).into())))
    }

    /// Answers requests that are not gRPC as this layer does.
    ///
    /// ```
    /// use http::StatusCode;
    /// use seaworthy::http::RespondLayer;
    /// use seaworthy::http::grpc::GrpcRespondLayer;
    ///
    /// let layer = GrpcRespondLayer::new().http(RespondLayer::new().status(|_| StatusCode::SERVICE_UNAVAILABLE));
    /// # let _ = layer;
    /// ```
    pub fn http<K>(self, layer: RespondLayer<K>) -> GrpcRespondLayer<K> {
        GrpcRespondLayer { http: layer.into_answer(), grpc: self.grpc }
    }

    fn set(self, change: impl FnOnce(&mut GrpcAnswer)) -> GrpcRespondLayer<A> {
        let mut grpc = self.grpc.unwrap_or_else(|| Arc::new(GrpcAnswer::DEFAULT));
        change(Arc::make_mut(&mut grpc));
        GrpcRespondLayer { http: self.http, grpc: Some(grpc) }
    }
}

impl Default for GrpcRespondLayer {
    fn default() -> GrpcRespondLayer {
        GrpcRespondLayer::new()
    }
}

impl<A> fmt::Debug for GrpcRespondLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrpcRespondLayer")
    }
}

impl<S, A: Clone> Layer<S> for GrpcRespondLayer<A> {
    type Service = GrpcRespondService<S, A>;

    fn layer(&self, inner: S) -> GrpcRespondService<S, A> {
        let answer = GrpcOrHttp { http: self.http.clone(), grpc: self.grpc.clone(), is_grpc: false };
        GrpcRespondService { inner: RespondLayer::by(answer).layer(inner) }
    }
}

/// The service made by [`GrpcRespondLayer`].
///
/// What a layer below rejects in `poll_ready` is answered at the call that follows, as by [`RespondService`].
///
/// # Clone
/// A clone is not ready just because the original is.
#[derive(Clone, Debug)]
pub struct GrpcRespondService<S, A = ByStatus> {
    inner: RespondService<S, GrpcOrHttp<A>>,
}

impl<S, A, I, B> Service<Request<I>> for GrpcRespondService<S, A>
where
    S: Service<Request<I>, Response = Response<B>>,
    S::Error: SplitError,
    A: RejectionResponse<B> + Clone,
{
    type Response = Response<RespondBody<B>>;
    type Error = <S::Error as SplitError>::Rest;
    type Future = RespondFuture<S::Future, GrpcOrHttp<A>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        // The call gets a copy of it.
        self.inner.answer_mut().is_grpc = is_grpc(request.headers());
        self.inner.call(request)
    }
}
