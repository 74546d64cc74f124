//! Policies around HTTP services: the limits of bodies, and the standard client.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use seaworthy::http::{HttpPolicyFuture, HttpPolicyService, ReplayBody};
use seaworthy::policy::PolicyService;
use seaworthy::{Error, State};
use tower::service_fn;

use super::*;
use crate::support::{SECOND, advance, now};

type Asked = Request<ReplayBody<Empty<Bytes>>>;

fn request(method: Method) -> Request<Empty<Bytes>> {
    Request::builder().method(method).uri("http://orders/7").body(Empty::new()).unwrap()
}

/// One frame at intervals, and never an end.
struct Stalling {
    every: Duration,
    timer: Pin<Box<tokio::time::Sleep>>,
}

impl Stalling {
    #[allow(clippy::disallowed_methods, reason = "on a paused clock")]
    fn new(every: Duration) -> Stalling {
        Stalling { every, timer: Box::pin(tokio::time::sleep(every)) }
    }
}

impl Body for Stalling {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::ready!(self.timer.as_mut().poll(cx));
        *self = Stalling::new(self.every);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"more")))))
    }
}

async fn body_of(policy: &Policy, every: Duration) -> Result<Bytes, BoxError> {
    let backend = service_fn(async |_: Asked| Ok::<_, BoxError>(Response::new(Stalling::new(every))));
    let response = policy.http_layer().layer(backend).oneshot(request(Method::GET)).await?;
    response.into_body().collect().await.map(|body| body.to_bytes())
}

/// HC-14: a backend that stalls in the body is cut off after `body_idle_timeout`, one that never ends after
/// `body_timeout`, from code and from data; without them a body takes as long as it does.
#[tokio::test(start_paused = true)]
async fn hc_14_bodies() {
    let code = Policy::builder("orders").body_idle_timeout(2 * SECOND).body_timeout(10 * SECOND).build().unwrap();
    let mut policies = vec![code];
    #[cfg(feature = "serde")]
    {
        let text = "[orders]\nbody_idle_timeout = \"2s\"\nbody_timeout = \"10s\"\ntotal_timeout = \"1s\"";
        policies.push(toml::from_str::<seaworthy::Policies>(text).unwrap().get("orders").unwrap().clone());
    }
    for policy in policies {
        for (every, after) in [(3 * SECOND, 2 * SECOND), (SECOND, 10 * SECOND)] {
            let began = now();
            let error = body_of(&policy, every).await.unwrap_err();
            assert!(matches!(error.rejected(), Some(Rejected::TimedOut { after: it, .. }) if *it == after), "{error}");
            assert_eq!(now() - began, after);
        }
    }
    let without = Policy::builder("orders").timeout(SECOND).build().unwrap();
    let mut endless = tokio_test::task::spawn(body_of(&without, 3 * SECOND));
    for _ in 0..200 {
        tokio_test::assert_pending!(endless.poll());
        advance(3 * SECOND).await;
    }
}

/// HC-14: a complete body with limits passes unchanged, with its trailers, size and end; so does one without.
#[tokio::test(start_paused = true)]
async fn hc_14_whole_bodies_pass() {
    let limited = Policy::builder("orders").body_idle_timeout(SECOND).build().unwrap();
    for policy in [limited, Policy::builder("orders").build().unwrap()] {
        let backend = service_fn(async |_: Asked| Ok::<_, BoxError>(Response::new(Full::new(Bytes::from("seven")))));
        let response = policy.http_layer().layer(backend).oneshot(request(Method::GET)).await.unwrap();
        let body = response.into_body();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(5), false));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "seven");
        let backend = service_fn(async |_: Asked| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
        let response = policy.http_layer().layer(backend).oneshot(request(Method::GET)).await.unwrap();
        assert!(response.into_body().is_end_stream());
    }
}

/// HC-14: without limits, futures are no larger and bodies hardly so.
#[test]
fn hc_14_costs_nothing_unused() {
    type Inner = std::future::Ready<Result<Response<Full<Bytes>>, Error<Infallible>>>;
    assert_eq!(size_of::<HttpPolicyService<u64>>() - size_of::<u64>(), 32);
    assert!(size_of::<HttpPolicyFuture<Inner>>() <= size_of::<Inner>() + 8);
    assert!(size_of::<seaworthy::http::PolicyBody<Full<Bytes>>>() <= size_of::<Full<Bytes>>() + 8);
    let _: Option<HttpPolicyService<PolicyService<()>>> = None;
}

/// HC-15: the standard client has each of its numbers: three attempts of GET and one of POST, ten seconds for an
/// attempt and thirty for all, and the circuit opens when half of twenty have failed.
#[tokio::test(start_paused = true)]
async fn hc_15_the_standard_client() {
    let build = || Policy::standard_http_client("orders").build().unwrap();
    let backend = Backend::default();
    let counted = backend.clone();
    let failing = service_fn(move |_: Asked| {
        let asked = counted.ask(Do::Answer);
        async move {
            asked.await?;
            let response = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body(Empty::<Bytes>::new());
            Ok::<_, BoxError>(response?)
        }
    });
    let policy = build();
    assert_eq!((policy.timeout(), policy.total_timeout()), (Some(10 * SECOND), Some(30 * SECOND)));
    assert!(policy.bulkhead().is_none());
    let client = policy.http_layer().layer(failing.clone());
    for (method, attempts) in [(Method::GET, 3), (Method::POST, 4)] {
        let began = now();
        let response = client.clone().oneshot(request(method)).await.unwrap();
        assert_eq!((response.status(), backend.calls()), (StatusCode::SERVICE_UNAVAILABLE, attempts));
        assert!(now() - began <= 1500 * MS, "up to 500 ms and then up to 1 s");
    }
    // 4 of at least 20 have failed; so do 15 more, and the 20th opens it.
    for call in 4..20 {
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed, "{call}");
        client.clone().oneshot(request(Method::POST)).await.unwrap();
    }
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open);
    assert_eq!(policy.snapshot().circuit_breaker.unwrap().retry_after, Some(30 * SECOND));

    let silent =
        || service_fn(async |_: Asked| std::future::pending::<Result<Response<Empty<Bytes>>, BoxError>>().await);
    let began = now();
    let after = |error: BoxError| match error.rejected() {
        Some(Rejected::TimedOut { after, .. }) => Some(after.get()),
        _ => None,
    };
    let error = build().http_layer().layer(silent()).oneshot(request(Method::GET)).await.unwrap_err();
    assert_eq!((after(error), now() - began), (Some(30 * SECOND), 30 * SECOND));
    let began = now();
    let error = build().http_layer().layer(silent()).oneshot(request(Method::POST)).await.unwrap_err();
    assert_eq!((after(error), now() - began), (Some(10 * SECOND), 10 * SECOND));
    let error = body_of(&build(), 31 * SECOND).await.unwrap_err();
    assert_eq!(after(error), Some(30 * SECOND));
}

/// HC-15: each number can be changed afterwards, and the others stay.
#[tokio::test(start_paused = true)]
async fn hc_15_changed_afterwards() {
    let policy = Policy::standard_http_client("orders")
        .total_timeout(60 * SECOND)
        .timeout(5 * SECOND)
        .body_idle_timeout(SECOND)
        .circuit_breaker(|circuit_breaker| circuit_breaker.minimum_calls(2))
        .retry(|retry| retry.attempts(1))
        .bulkhead(|bulkhead| bulkhead.limit(3))
        .build()
        .unwrap();
    assert_eq!((policy.timeout(), policy.total_timeout()), (Some(5 * SECOND), Some(60 * SECOND)));
    assert_eq!(policy.bulkhead().unwrap().limit(), 3);
    settle(policy.circuit_breaker().unwrap(), &[Verdict::Success, Verdict::Failure]);
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open, "at half, as before, of two");
    policy.circuit_breaker().unwrap().reset();
    let began = now();
    assert!(body_of(&policy, 3 * SECOND).await.is_err());
    assert_eq!(now() - began, SECOND);
}
