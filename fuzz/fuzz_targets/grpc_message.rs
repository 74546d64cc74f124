//! A `grpc-message` with any contents arrives as it was: `fuzz/run 60 grpc_message`. What decodes it shares no code with
//! what encodes it.

#![no_main]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use seaworthy::http::grpc::GrpcRespondLayer;
use seaworthy::{Error, Rejected};
use tower_layer::Layer;
use tower_service::Service;

fuzz_target!(|text: String| {
    let said = text.clone();
    let mut service = GrpcRespondLayer::new().message(move |_| said.clone()).layer(Full);
    let request = Request::builder().header("content-type", "application/grpc").body(()).expect("a request");
    let mut answer = pin!(service.call(request));
    let Poll::Ready(Ok(response)) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits for nothing")
    };
    let message = response.headers()["grpc-message"].as_bytes();
    assert!(message.iter().all(|byte| (0x20..=0x7e).contains(byte)));
    assert_eq!(decoded(message), text.as_bytes());
});

fn decoded(message: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'F' => byte - b'A' + 10,
        other => panic!("{other} is no upper-case digit"),
    };
    let mut all = Vec::new();
    let mut rest = message.iter();
    while let Some(byte) = rest.next() {
        all.push(match byte {
            b'%' => {
                let mut next = || digit(*rest.next().expect("two digits"));
                let high = next();
                high << 4 | next()
            }
            byte => *byte,
        });
    }
    all
}

/// Rejects every call.
struct Full;

impl Service<Request<()>> for Full {
    type Response = Response<String>;
    type Error = Error<Infallible>;
    type Future = Ready<Result<Response<String>, Error<Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Err(Error::Rejected(Rejected::BulkheadFull { name: "full".into(), retry_after: None.into() })))
    }
}
