use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use super::body::HealthBody;
use super::future::HealthFuture;
use super::paths::{Endpoint, HealthPaths};
use super::text;
use crate::error::ConfigError;
use crate::health::Report;
use crate::health::handle::Health;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;

/// Answers load balancers and orchestrators: `/health/live`, `/health/ready` and `/health/startup`, and `/health` as
/// `/health/ready`. Made by [`Health::endpoints`].
///
/// | phase | live | ready | startup |
/// |---|---|---|---|
/// | before the run | 503 `{"status":"not started"}` | the same | the same |
/// | starting | 200 `{"status":"ok"}` | 503 `{"status":"starting"}` | 503 `{"status":"starting"}` |
/// | serving, no checks | 200 `{"status":"ok"}` | 200 `{"status":"ok"}` | 200 `{"status":"ok"}` |
/// | all checks up | the same | 200 `{"checks":{"database":"ok","redis":"ok"},"status":"ok"}` | the same |
/// | a reported one down | the same | 200 `{"checks":{"database":"ok","redis":"degraded"},"status":"ok"}` | the same |
/// | a required one down | the same | 503 `{"checks":{"database":"ok","redis":"fail"},"status":"fail"}` | the same |
/// | draining, stopped | the same | 503 `{"status":"shutting down"}`, no check asked | the same |
///
/// The reason why a check is down is logged, and never shown here. Only a readiness request asks the checks, all of
/// them at the same time. An [`AsyncCheck`](crate::AsyncCheck) runs once for all requests that arrive while it
/// runs.
///
/// `GET` and `HEAD` are answered, other methods get 405 with `Allow`, and other paths 404. Responses must not be
/// cached. The request body is not read.
///
/// It is a service of its own, for hyper or any other server, and works in an axum router whether or not that strips
/// the prefix from the path: `/live` is answered like `/health/live`. Put it *beside* the stack of the other routes, or
/// let the stack's readiness layer [exempt](crate::health::ReadinessLayer::exempt) its
/// [`paths`](HealthEndpoints::paths).
///
/// ```
/// use seaworthy::{Health, WrapErrorLayer, http::RespondLayer};
/// use tower::ServiceBuilder;
///
/// let health = Health::new();
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "hello"))
///     .layer(
///         ServiceBuilder::new()
///             .layer(RespondLayer::new())
///             .layer(health.readiness_layer())
///             .layer(WrapErrorLayer::new()),
///     )
///     .nest_service("/health", health.endpoints());
/// # let _ = app;
/// ```
///
/// # Clone
/// Costs a reference count or two; all clones report on the same service.
#[derive(Clone, Debug)]
pub struct HealthEndpoints {
    health: Health,
    paths: HealthPaths,
}

impl HealthEndpoints {
    pub(crate) fn new(health: Health) -> HealthEndpoints {
        HealthEndpoints { health, paths: HealthPaths::default() }
    }

    /// Answers below a prefix other than `/health`.
    ///
    /// # Errors
    /// As [`HealthPaths::new`].
    pub fn prefix(self, prefix: impl Into<Name>) -> Result<HealthEndpoints, ConfigError> {
        Ok(HealthEndpoints { health: self.health, paths: self.paths.with_prefix(prefix.into())? })
    }

    /// Answers at other paths: see [`HealthPaths`]. Each path outside the prefix needs a route of its own.
    ///
    /// ```
    /// use seaworthy::{Health, http::HealthPaths};
    ///
    /// let paths = HealthPaths::new("/healthz")?.live("/livez")?.ready("/readyz")?;
    /// let endpoints = Health::new().endpoints().at(paths);
    /// let mut app: axum::Router = axum::Router::new();
    /// for path in ["/healthz", "/healthz/{endpoint}", "/livez", "/readyz"] {
    ///     app = app.route_service(path, endpoints.clone());
    /// }
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn at(self, paths: HealthPaths) -> HealthEndpoints {
        HealthEndpoints { health: self.health, paths }
    }

    /// The paths it answers, for a readiness layer to exempt.
    #[must_use]
    pub fn paths(&self) -> &HealthPaths {
        &self.paths
    }
}

impl<B> Service<Request<B>> for HealthEndpoints {
    type Response = Response<HealthBody>;
    type Error = Infallible;
    type Future = HealthFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> HealthFuture {
        let Some(endpoint) = self.paths.endpoint(request.uri().path()) else {
            return HealthFuture::answer(answer(StatusCode::NOT_FOUND, text::NOT_FOUND, request.method()));
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = answer(StatusCode::METHOD_NOT_ALLOWED, text::METHOD_NOT_ALLOWED, request.method());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return HealthFuture::answer(answer);
        }
        let (phase, has_begun) = (self.health.phase(), self.health.has_begun());
        match (phase, endpoint) {
            (Phase::Serving, Endpoint::Ready) => {
                HealthFuture::checks(self.health.run_checks(), request.method().clone())
            }
            (Phase::Starting, Endpoint::Live) if has_begun => {
                HealthFuture::answer(answer(StatusCode::OK, text::OK, request.method()))
            }
            (Phase::Starting, _) | (Phase::Draining | Phase::Stopped, Endpoint::Ready) => {
                HealthFuture::answer(unavailable(phase, has_begun, request.method()))
            }
            _ => HealthFuture::answer(answer(StatusCode::OK, text::OK, request.method())),
        }
    }
}

fn unavailable(phase: Phase, has_begun: bool, method: &Method) -> Response<HealthBody> {
    let text = match (phase, has_begun) {
        (Phase::Starting, false) => text::NOT_STARTED,
        (Phase::Starting, true) => text::STARTING,
        _ => text::SHUTTING_DOWN,
    };
    answer(StatusCode::SERVICE_UNAVAILABLE, text, method)
}

/// The answer to a readiness request.
pub(super) fn answer_of(report: &Report, method: &Method) -> Response<HealthBody> {
    if report.phase != Phase::Serving {
        // Shutdown began in the meantime.
        return unavailable(report.phase, true, method);
    }
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, text::of(report), method)
}

/// `HEAD` gets the same head, without a body.
fn answer(status: StatusCode, text: Bytes, method: &Method) -> Response<HealthBody> {
    let length = HeaderValue::from(text.len());
    let body = if method == Method::HEAD { HealthBody::default() } else { HealthBody::new(text) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
