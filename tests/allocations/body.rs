//! What a call allocates that goes on in its response body.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use seaworthy::http::{Early, HttpClassifier};
use seaworthy::{BoxError, CircuitBreaker};
use tower::{Layer, Service, service_fn};

use crate::allocations;

/// Frames of data, then trailers.
struct Frames(u32, Option<HeaderMap>);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.0 > 0 {
            this.0 -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"data")))));
        }
        Poll::Ready(this.1.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// BO-14: a call that goes on in its body allocates nothing, from `call` to its last frame, or until it is dropped.
#[test]
fn a_judged_body_allocates_nothing() {
    let circuit_breaker = CircuitBreaker::builder("c").build().unwrap();
    let layer = circuit_breaker.layer().classify(HttpClassifier).until_body_end();
    for layer in [layer.clone(), layer.settle_early(Early::Bytes(5)).unwrap()] {
        let answer = |request: Request<u32>| -> Ready<Result<Response<Frames>, BoxError>> {
            ready(Ok(Response::new(Frames(*request.body(), Some(HeaderMap::new())))))
        };
        let mut service = layer.layer(service_fn(answer));
        let cx = &mut Context::from_waker(Waker::noop());
        for reads in [0, 1, 9] {
            assert!(service.poll_ready(cx).is_ready());
            let request = Request::new(3);
            let count = allocations(|| {
                let mut call = std::pin::pin!(service.call(request));
                let Poll::Ready(Ok(response)) = Future::poll(call.as_mut(), cx) else { panic!("it is there at once") };
                let mut body = std::pin::pin!(response.into_body());
                for _ in 0..reads {
                    assert!(body.as_mut().poll_frame(cx).is_ready());
                }
            });
            assert_eq!(count, 0, "{reads} frames read");
        }
    }
}
