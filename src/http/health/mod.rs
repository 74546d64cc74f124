mod body;
mod endpoints;
mod future;
mod paths;
mod text;

pub use body::HealthBody;
pub use endpoints::HealthEndpoints;
pub use future::HealthFuture;
pub use paths::HealthPaths;
