//! The gateway itself: one stack, from the caller down to the upstream.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::iter::successors;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use seaworthy::http::{HttpClassifier, RespondLayer};
use seaworthy::{CircuitBreaker, Classify, Error, Rejected, Verdict};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

use crate::upload;
use crate::upstream::{Upstream, UpstreamError};

/// Answers every request with the upstream's response, or with
///
/// | status | when |
/// |---|---|
/// | 503 | the circuit is open: the upstream was not asked |
/// | 504 | the upstream did not answer within `timeout` |
/// | 502 | it could not be reached, hung up, or did not speak HTTP |
/// | 400 | the caller hung up or was too slow, or asked for something that cannot be passed on |
pub(crate) fn app(circuit_breaker: &CircuitBreaker, upstream: Upstream, timeout: Duration) -> Router {
    let stack = ServiceBuilder::new()
        // UpstreamError -> a response; axum wants services that cannot fail.
        .layer(HandleErrorLayer::new(answer))
        // Error<UpstreamError> -> UpstreamError: rejections from below are answered here.
        .layer(RespondLayer::new())
        .layer(circuit_breaker.layer().classify(verdict))
        .service(service_fn(move |request| call(upstream.clone(), request, timeout)));
    Router::new().fallback_service(stack)
}

/// Calls the upstream, with a time limit. The limit is below the circuit breaker, so that a hung upstream counts as a
/// failure; above, it would look like a caller that hung up.
async fn call(upstream: Upstream, request: Request, limit: Duration) -> Result<Response, Error<UpstreamError>> {
    let (request, upload) = upload::watch(request);
    match tokio::time::timeout(limit, upstream.pass_on(request)).await {
        Ok(result) => result.map_err(Error::Inner),
        Err(_) if upload.is_awaited() => Err(Error::Inner(UpstreamError::Caller("the caller is too slow".into()))),
        Err(_) => Err(Rejected::TimedOut { after: limit.into(), timeout: None }.into()),
    }
}

/// What a result says about the upstream: nothing, if the caller is to blame. Otherwise any caller could open the
/// circuit for everyone by aborting uploads.
fn verdict(result: &Result<Response, Error<UpstreamError>>) -> Verdict {
    match result {
        Err(Error::Inner(UpstreamError::Caller(_))) => Verdict::Ignored,
        result => HttpClassifier.classify(result),
    }
}

/// Callers learn what kind of failure it was, and the log says why.
async fn answer(error: UpstreamError) -> Response {
    let (status, body) = match &error {
        UpstreamError::Caller(_) => {
            tracing::debug!("{}", with_causes(&error));
            (StatusCode::BAD_REQUEST, r#"{"error":"bad request"}"#)
        }
        UpstreamError::Upstream(_) => {
            // This cannot flood the log: the circuit opens.
            tracing::warn!("{}", with_causes(&error));
            (StatusCode::BAD_GATEWAY, r#"{"error":"bad gateway"}"#)
        }
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn with_causes(error: &(dyn StdError + 'static)) -> String {
    // Bounded, because an error may be its own source.
    let chain = successors(Some(error), |&error| error.source()).take(16);
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Serves until `stop`, then ends once the requests in flight are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // A streamed body is forwarded as it comes in. If this fails, it is only forwarded later.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}
