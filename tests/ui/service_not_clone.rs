//! Services that are not `Clone` under the layers that need it.
//~ .layer(SharedLayer::new())
//~ BoxCloneService

use seaworthy::{BoxError, Health, Policy, RetryPolicy, Bulkhead};
use tower::util::BoxService;
use tower::{Layer, Service};

type NotClone = BoxService<(), (), BoxError>;

fn is_service<S: Service<()>>(_: S) {}

fn main() {
    let bulkhead = Bulkhead::builder("reports").build().unwrap();
    let health = Health::new();
    let retry = RetryPolicy::builder("reports").build().unwrap();
    let policy = Policy::builder("reports").build().unwrap();
    let service = || -> NotClone { unimplemented!() };
    is_service(bulkhead.layer().layer(service()));
    is_service(health.readiness_layer().layer(service()));
    is_service(retry.layer().layer(service()));
    is_service(policy.layer().without_retry().layer(service()));
}
