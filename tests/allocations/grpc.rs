//! What gRPC allocates: nothing for a verdict, and a response's headers for a rejection.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use seaworthy::http::grpc::{GrpcClassifier, GrpcRespondLayer};
use seaworthy::{BoxError, Classify, Error, Name, Rejected};
use tower::{Layer, Service};

use crate::allocations;

struct Rejects(Rejected);

impl Service<Request<()>> for Rejects {
    type Response = Response<String>;
    type Error = Error<Infallible>;
    type Future = Ready<Result<Response<String>, Error<Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Err(Error::Rejected(self.0.clone())))
    }
}

fn of_a_rejection(layer: &GrpcRespondLayer, rejected: Rejected) -> u64 {
    let request = Request::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut service = layer.layer(Rejects(rejected));
    let mut response = None;
    let count = allocations(|| {
        let mut call = pin!(service.call(request));
        let Poll::Ready(Ok(made)) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("at once")
        };
        response = Some(made);
    });
    assert!(response.unwrap().headers().contains_key("grpc-status"));
    count
}

/// GR-09: a rejection's response is its header map, at most 3 allocations.
#[test]
fn gr_09_a_response() {
    let name = Name::from("secret");
    let wait = || Some(Duration::from_secs(3)).into();
    for rejected in [
        Rejected::CircuitOpen { name: name.clone(), retry_after: wait() },
        Rejected::BulkheadFull { name: name.clone(), retry_after: wait() },
        Rejected::BulkheadFull { name: name.clone(), retry_after: None.into() },
        Rejected::NotReady { reason: name, retry_after: wait() },
        Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None },
    ] {
        let count = of_a_rejection(&GrpcRespondLayer::new(), rejected.clone());
        assert!((1..=3).contains(&count), "{rejected}: {count}");
    }
    // The opposite: a message that has to be made and encoded costs more.
    let layer = GrpcRespondLayer::new().message(|rejected| format!("{rejected} …"));
    let full = Rejected::BulkheadFull { name: "full".into(), retry_after: wait() };
    assert!(of_a_rejection(&layer, full) > 3);
}

/// GR-02: a verdict at the head allocates nothing.
#[test]
fn gr_02_a_verdict() {
    for code in ["0", "8", "14", "nonsense", ""] {
        let head = Ok::<_, BoxError>(Response::builder().header("grpc-status", code).body(()).unwrap());
        assert_eq!(allocations(|| _ = black_box(GrpcClassifier::new().classify(black_box(&head)))), 0, "{code}");
    }
}
