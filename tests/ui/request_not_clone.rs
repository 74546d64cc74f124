//! A request that is not `Clone` under a retry.
//~ .replay(|request: &Query| Some(..))

use seaworthy::{BoxError, RetryPolicy};
use tower::{Layer, Service, service_fn};

struct Query;

fn is_service<S: Service<Query>>(_: S) {}

fn main() {
    let retry = RetryPolicy::builder("queries").build().unwrap();
    is_service(retry.layer().layer(service_fn(|_: Query| async { Ok::<(), BoxError>(()) })));
}
