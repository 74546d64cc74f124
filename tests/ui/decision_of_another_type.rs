//! A decision about results of a different type than the service's.
//~ expected closure signature
//~ Result<u8, Box<dyn std::error::Error + Send + Sync>>

use seaworthy::{BoxError, RetryPolicy};
use tower::{Layer, Service, service_fn};

fn is_service<S: Service<()>>(_: S) {}

fn main() {
    let retry = RetryPolicy::builder("numbers").build().unwrap();
    let layer = retry.layer().retry_if(|result: &Result<String, BoxError>| result.is_err());
    is_service(layer.layer(service_fn(|()| async { Ok::<u8, BoxError>(7) })));
}
