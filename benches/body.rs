//! What a frame of a response body costs that a circuit breaker waits for, beside the same body without one.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at what is wrong")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use http_body::{Body, Frame};
use seaworthy::http::HttpClassifier;
use seaworthy::{CircuitBreaker, Error};
use tower::{Layer, Service, service_fn};

/// A stream of frames without an end.
struct Endless;

impl Body for Endless {
    type Data = &'static [u8];
    type Error = Infallible;

    #[inline(never)]
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(b"data"))))
    }
}

type Answer = Result<Response<Endless>, Error<Infallible>>;

fn bodies(c: &mut Criterion) {
    let mut group = c.benchmark_group("body");
    let cx = &mut Context::from_waker(Waker::noop());
    let mut plain = pin!(Endless);
    group.bench_function("a frame", |b| b.iter(|| black_box(plain.as_mut().poll_frame(cx)).is_ready()));
    let circuit_breaker = CircuitBreaker::builder("c").build().unwrap();
    let layer = circuit_breaker.layer().classify(HttpClassifier).until_body_end();
    let mut service = layer.layer(service_fn(|_: Request<()>| -> Ready<Answer> { ready(Ok(Response::new(Endless))) }));
    assert!(service.poll_ready(cx).is_ready());
    let Poll::Ready(Ok(response)) = pin!(service.call(Request::new(()))).poll(cx) else {
        unreachable!("it is there at once")
    };
    let mut judged = pin!(response.into_body());
    group.bench_function("a frame, judged", |b| b.iter(|| black_box(judged.as_mut().poll_frame(cx)).is_ready()));
    group.finish();
}

criterion_group!(benches, bodies);
criterion_main!(benches);
