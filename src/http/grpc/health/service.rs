use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::GrpcHealthBody;
use super::future::GrpcHealthFuture;
use super::request::HealthMethod;
use super::services::{Services, WatcherPlace};
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::health::handle::Health;
use crate::name::Name;

const SERVICE: Subject<'static> = Subject::of("gRPC health service");

/// Answers clients, load balancers and orchestrators in gRPC's health protocol: `/grpc.health.v1.Health/Check` and
/// `/Watch`. Made by [`Health::grpc_service`].
///
/// | the service asked for | `Check` | `Watch` |
/// |---|---|---|
/// | `""`, the whole: serving, and all required checks are up | `SERVING` | the same |
/// | the whole, else | `NOT_SERVING` | the same |
/// | [published](Self::publish): serving, and its checks are up | `SERVING` | the same |
/// | published, else | `NOT_SERVING` | the same |
/// | any other | status 5, `NOT_FOUND` | `SERVICE_UNKNOWN`, until it is published |
/// | any, once [streams end](Health::end_streams) | as before | status 14, `UNAVAILABLE`, after the last state |
///
/// A `Check` asks the checks, as a request for `/health/ready` does; before the service serves, and while it is
/// draining, it asks none. The reason why a check is down is never shown.
///
/// A `Watch` sends the present state once the checks have answered, and then each change, in order and never the same
/// state twice in a row. What has changed and changed back before it could be sent is not sent. Phases, checks that are
/// added or removed, and publications are seen at once; whether a check is up is asked every
/// [second](Self::check_interval), once for all who watch the same service. Nothing is spawned: a stream is driven by
/// whoever reads it. With a runner it ends when the grace period begins.
///
/// | the request | the answer |
/// |---|---|
/// | another path below a gRPC content type | status 12, `UNIMPLEMENTED` |
/// | not `POST` | HTTP 405 |
/// | a content type other than `application/grpc` | HTTP 415 |
/// | a codec other than protobuf, or a compressed message | status 12, `UNIMPLEMENTED` |
/// | a message longer than 4 KiB | status 8, `RESOURCE_EXHAUSTED` |
/// | a message that is cut off, followed by another, or not protobuf | status 13, `INTERNAL` |
/// | not whole 10 s after it first made the server wait | status 4, `DEADLINE_EXCEEDED` |
/// | a `Watch` beyond [the most](Self::max_watchers) | status 8, `RESOURCE_EXHAUSTED` |
///
/// It is a service of its own, for hyper or any other server of HTTP/2, and works in an axum router, which is also what
/// tonic's router is made of. Put it *beside* the stack of the other routes, so that nothing refuses its requests.
///
/// ```
/// use seaworthy::Health;
///
/// let health = Health::new();
/// health.require("database", || true)?;
/// let grpc = health.grpc_service();
/// grpc.publish("shop.Cart", &["database"])?;
/// let app: axum::Router = axum::Router::new().route_service("/grpc.health.v1.Health/{method}", grpc);
/// # let _ = app;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Clone
/// Costs a reference count; all clones have the same services, and their watchers are counted together.
#[derive(Clone)]
pub struct GrpcHealthService {
    services: Arc<Services>,
    check_interval: Duration,
    max_watchers: u32,
}

impl GrpcHealthService {
    pub(crate) fn new(health: Health) -> GrpcHealthService {
        let services = Arc::new(Services::new(health));
        GrpcHealthService { services, check_interval: Duration::from_secs(1), max_watchers: 128 }
    }

    /// Makes `service` known: it is serving while the whole [is](crate::Phase::Serving) in that phase and all of these
    /// checks are up, whether they are required or only reported. Without checks the phase alone decides. Replaces a
    /// service of the same name; those who watch it learn at once.
    ///
    /// A check that is removed later no longer counts, and one that is replaced counts as it is then.
    ///
    /// # Errors
    /// The name is empty, or there is no check of one of these names.
    pub fn publish(&self, service: impl Into<Name>, checks: &[&str]) -> Result<(), ConfigError> {
        self.services.publish(service.into(), checks)
    }

    /// Makes `service` unknown again; those who watch it learn at once. Returns false if it was not known.
    pub fn withdraw(&self, service: &str) -> bool {
        self.services.withdraw(service)
    }

    /// How long what the checks of a service said is good for those who watch it; then they are asked again. A second
    /// if not set. A duration that the clock cannot represent means that only a change of phase, check or publication
    /// makes them be asked again.
    ///
    /// # Errors
    /// If it is shorter than a millisecond.
    pub fn check_interval(mut self, time: Duration) -> Result<GrpcHealthService, ConfigError> {
        let is_fine = time >= Duration::from_millis(1);
        SERVICE.require(is_fine, "check_interval", time, "must not be shorter than a millisecond")?;
        self.check_interval = time;
        Ok(self)
    }

    /// The most streams that watch at a time, over all clones; one more is refused with status 8. 128 if not set. Each
    /// costs its connection's stream, a few hundred bytes, and a wake-up for each interval and change.
    ///
    /// # Errors
    /// If it is zero.
    pub fn max_watchers(mut self, watchers: u32) -> Result<GrpcHealthService, ConfigError> {
        SERVICE.count("max_watchers", watchers, Most::NONE)?;
        self.max_watchers = watchers;
        Ok(self)
    }

    /// How many streams watch now.
    #[must_use]
    pub fn watchers(&self) -> u64 {
        self.services.watchers()
    }

    pub(super) fn services(&self) -> &Arc<Services> {
        &self.services
    }

    pub(super) fn interval(&self) -> Duration {
        self.check_interval
    }

    pub(super) fn enter(&self) -> Option<WatcherPlace> {
        self.services.enter(self.max_watchers)
    }
}

impl<B: Body> Service<Request<B>> for GrpcHealthService {
    type Response = Response<GrpcHealthBody>;
    type Error = Infallible;
    type Future = GrpcHealthFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> GrpcHealthFuture<B> {
        match HealthMethod::of(&request) {
            Ok(method) => GrpcHealthFuture::read(request.into_body(), method, self.clone()),
            Err(answer) => GrpcHealthFuture::answer(answer),
        }
    }
}

impl fmt::Debug for GrpcHealthService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcHealthService")
            .field("health", &self.services.health)
            .field("published", &self.services.names())
            .field("watchers", &self.watchers())
            .finish_non_exhaustive()
    }
}
