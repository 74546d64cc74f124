use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use seaworthy::http::grpc::{GrpcHealthBody, GrpcHealthFuture, GrpcHealthService};
use tonic::server::NamedService;
use tower_service::Service;

/// Lets a tonic server answer gRPC's health protocol with what a [`Health`](seaworthy::Health) says: a
/// [`GrpcHealthService`] with the name by which tonic's router finds it.
///
/// tonic puts the layers of a server around all of its services, this one among them, and so readiness would refuse its
/// requests just when they matter. Put the stack around the other services only, as here, or leave readiness out of it.
///
/// ```
/// use seaworthy::http::grpc::GrpcRespondLayer;
/// use seaworthy::{Health, WrapErrorLayer};
/// use seaworthy_tonic::TonicHealth;
/// use tonic::service::Routes;
/// use tonic::transport::Server;
/// use tower::{Layer, ServiceBuilder};
///
/// let health = Health::new();
/// let grpc_health = health.grpc_service();
/// let stack = ServiceBuilder::new()
///     .layer(GrpcRespondLayer::new())
///     .layer(health.readiness_layer())
///     .layer(WrapErrorLayer::new());
/// let shop = Routes::default().into_axum_router().layer(stack); // after `.add_service(CartServer::new(cart))`
/// let server = Server::builder().add_routes(Routes::from(shop).add_service(TonicHealth::new(grpc_health)));
/// # let _ = server;
/// ```
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub struct TonicHealth(GrpcHealthService);

impl TonicHealth {
    /// Gives the service its name. Keep a clone of it to publish services later.
    #[must_use]
    pub fn new(service: GrpcHealthService) -> TonicHealth {
        TonicHealth(service)
    }
}

impl From<GrpcHealthService> for TonicHealth {
    fn from(service: GrpcHealthService) -> TonicHealth {
        TonicHealth(service)
    }
}

impl NamedService for TonicHealth {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl<B: Body> Service<Request<B>> for TonicHealth {
    type Response = Response<GrpcHealthBody>;
    type Error = Infallible;
    type Future = GrpcHealthFuture<B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<B>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<B>) -> GrpcHealthFuture<B> {
        self.0.call(request)
    }
}
