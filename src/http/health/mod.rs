mod body;
mod endpoints;
mod future;
mod paths;
mod text;

pub use body::HealthBody;
pub use endpoints::HealthEndpoints;
pub use future::HealthFuture;
pub use paths::HealthPaths;

use super::drain::DrainLayer;
use crate::health::ReadinessLayer;
use crate::health::handle::Health;

/// With feature `http`.
impl Health {
    /// Like [`readiness_layer`](Health::readiness_layer), for HTTP: requests for paths below `/health` pass whatever
    /// the state.
    pub fn http_readiness_layer(&self) -> ReadinessLayer<HealthPaths> {
        self.readiness_layer().exempt(HealthPaths::default())
    }

    /// A layer that releases kept-alive connections while the service is draining.
    pub fn drain_layer(&self) -> DrainLayer {
        DrainLayer::new(self.clone())
    }

    /// The health endpoints, as a service: `/health/live`, `/health/ready` and `/health/startup`.
    pub fn endpoints(&self) -> HealthEndpoints {
        HealthEndpoints::new(self.clone())
    }
}
