//! An error type that cannot hold rejections.
//~ .layer(LiftLayer::new())
//~ `#[from] seaworthy::Rejected`

use seaworthy::Circuit;
use tower::{Layer, Service, service_fn};

fn is_service<S: Service<()>>(_: S) {}

fn main() {
    let circuit = Circuit::builder("parser").build().unwrap();
    is_service(circuit.layer().layer(service_fn(|()| async { "x".parse::<u8>() })));
}
