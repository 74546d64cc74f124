//! An error type that cannot hold rejections.
//~ .layer(WrapErrorLayer::new())
//~ `#[from] seaworthy::Rejected`

use seaworthy::CircuitBreaker;
use tower::{Layer, Service, service_fn};

fn is_service<S: Service<()>>(_: S) {}

fn main() {
    let circuit_breaker = CircuitBreaker::builder("parser").build().unwrap();
    is_service(circuit_breaker.layer().layer(service_fn(|()| async { "x".parse::<u8>() })));
}
