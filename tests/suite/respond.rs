//! Rejections as HTTP responses.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use seaworthy::http::{RespondBody, RespondLayer, SplitError, response_of, status_of};
use seaworthy::{BoxError, CircuitBreaker, DeadlineStage, Error, Name, Rejected, RetryAfter, WrapErrorLayer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

type Body = Full<bytes::Bytes>;

fn rejections() -> [Rejected; 7] {
    let name = Name::from("secret");
    [
        Rejected::CircuitOpen { name: name.clone(), retry_after: Some(Duration::from_millis(1_200)).into() },
        Rejected::CircuitOpen { name: name.clone(), retry_after: None.into() },
        Rejected::BulkheadFull { name: name.clone(), retry_after: None.into() },
        Rejected::NotReady { reason: name.clone(), retry_after: None.into() },
        Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None },
        Rejected::Withdrawn { name },
        Rejected::DeadlineExceeded { stage: DeadlineStage::Arrival },
    ]
}

async fn answer<E>(layer: RespondLayer, error: E) -> Result<Response<RespondBody<Body>>, E::Rest>
where
    E: SplitError + Clone + Send + 'static,
{
    let inner = service_fn(move |_: Request<()>| std::future::ready(Err::<Response<Body>, E>(error.clone())));
    layer.layer(inner).oneshot(Request::new(())).await
}

/// RD-04: The status, `Retry-After` in whole seconds rounded up if it is known, and a small JSON body that names the
/// reason and leaks nothing else.
#[tokio::test]
async fn rd_04_the_response() {
    let expected = [
        (503, Some("2"), r#"{"error":"circuit open"}"#),
        (503, None, r#"{"error":"circuit open"}"#),
        (503, Some("1"), r#"{"error":"bulkhead full"}"#),
        (503, None, r#"{"error":"not ready"}"#),
        (504, None, r#"{"error":"timed out"}"#),
        (503, None, r#"{"error":"call withdrawn"}"#),
        (504, None, r#"{"error":"deadline exceeded"}"#),
    ];
    for (rejected, (status, retry_after, text)) in rejections().into_iter().zip(expected) {
        let Ok(response) = answer(RespondLayer::new(), Error::<Infallible>::Rejected(rejected)).await;
        assert_eq!(response.status(), status);
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("retry-after"), retry_after);
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(text.len() as u64));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, text);
    }
}

/// RD-05, X-01: One table from rejection to status, which can be overridden.
#[tokio::test]
async fn rd_05_the_table() {
    let table = rejections().map(|rejected| status_of(&rejected).as_u16());
    assert_eq!(table, [503, 503, 503, 503, 504, 503, 504]);
    let layer = RespondLayer::new().status(|rejected| match rejected {
        Rejected::BulkheadFull { .. } => StatusCode::TOO_MANY_REQUESTS,
        other => status_of(other),
    });
    let expected = [503, 503, 429, 503, 504, 503, 504];
    for (rejected, status) in rejections().into_iter().zip(expected) {
        let Ok(response) = answer(layer, Error::<Infallible>::Rejected(rejected)).await;
        assert_eq!(response.status(), status);
    }
}

/// RD-06: Anything that is not a rejection is passed on, as the inner service's own error.
#[tokio::test]
async fn rd_06_other_errors_pass() {
    let error: Result<_, &str> = answer(RespondLayer::new(), Error::Inner("down")).await;
    assert_eq!(error.unwrap_err(), "down");

    let boxed: BoxError = "down".into();
    assert_eq!(boxed.split().unwrap_err().to_string(), "down");
    let rejected = Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None };
    let boxed: BoxError = std::io::Error::other(rejected.clone()).into();
    assert_eq!(boxed.split().unwrap(), rejected, "found inside of another error");
}

/// RD-06: An `Infallible` inner is `Infallible` above, and a response passes with its body.
#[tokio::test]
async fn rd_06_the_error_type_is_closed() {
    let circuit_breaker = CircuitBreaker::builder("backend").build().unwrap();
    let stack = ServiceBuilder::new()
        .layer(RespondLayer::new())
        .layer(circuit_breaker.layer())
        .layer(WrapErrorLayer::new())
        .service(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Body::from("hello")))));
    let Ok::<_, Infallible>(response) = stack.clone().oneshot(Request::new(())).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    circuit_breaker.force_open();
    let Ok::<_, Infallible>(response) = stack.oneshot(Request::new(())).await;
    assert_eq!(response.status(), 503);
}

/// A service whose `poll_ready` rejects, as a third-party layer may.
#[derive(Clone)]
struct RejectsInPollReady;

impl Service<Request<()>> for RejectsInPollReady {
    type Response = Response<Body>;
    type Error = Error<Infallible>;
    type Future = std::future::Pending<Result<Response<Body>, Error<Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Err(Error::Rejected(rejections()[2].clone())))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("called without being ready")
    }
}

/// RD-06: A rejection from `poll_ready` is the answer to the call that follows.
#[tokio::test]
async fn rd_06_rejected_in_poll_ready() {
    let Ok(response) = RespondLayer::new().layer(RejectsInPollReady).oneshot(Request::new(())).await;
    assert_eq!(response.status(), 503);
}

/// HC-10: a closure makes the whole response, status, headers and body, and may capture anything, cloneable or not; the
/// layer and its service can be cloned all the same. Other responses are left alone.
#[tokio::test]
async fn hc_10_a_response_of_ones_own() {
    struct NoClone(String);
    let problem = NoClone("https://status.example".into());
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let layer = RespondLayer::with(move |rejected| {
        let count = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let text = format!(r#"{{"type":"{}","title":"{rejected}","count":{count}}}"#, problem.0);
        Response::builder()
            .status(429)
            .header("content-type", "application/problem+json")
            .header("x-shed", "yes")
            .body(Body::from(text))
            .unwrap()
    });
    let bulkhead = seaworthy::Bulkhead::builder("work").limit(1).build().unwrap();
    let stack = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(bulkhead.layer())
        .layer(WrapErrorLayer::new())
        .service(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Body::from("hello")))));
    let Ok::<_, Infallible>(response) = stack.clone().oneshot(Request::new(())).await;
    assert_eq!((response.status().as_u16(), response.headers().len()), (200, 0));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    let _permit = bulkhead.try_acquire().unwrap();
    for count in 0..2 {
        let Ok::<_, Infallible>(response) = stack.clone().oneshot(Request::new(())).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!((&response.headers()["x-shed"], response.headers().len()), (&"yes".parse().unwrap(), 2));
        let expected =
            format!(r#"{{"type":"https://status.example","title":"bulkhead `work` is full","count":{count}}}"#);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
    }
    // In `poll_ready`, too.
    let Ok(response) = layer.layer(RejectsInPollReady).oneshot(Request::new(())).await;
    assert_eq!(response.status(), 429);
}

/// HC-10: the layer's response is the one that the public function makes, byte by byte.
#[tokio::test]
async fn hc_10_the_default() {
    for rejected in rejections() {
        let made = response_of(&rejected);
        let Ok(answered) = answer(RespondLayer::new(), Error::<Infallible>::Rejected(rejected.clone())).await;
        assert_eq!((made.status(), made.headers()), (answered.status(), answered.headers()));
        assert_eq!(made.status(), status_of(&rejected));
        let size = http_body::Body::size_hint(made.body()).exact();
        let (made, answered) = (made.into_body().collect().await, answered.into_body().collect().await);
        let Ok(made) = made.map(|body| body.to_bytes());
        assert_eq!((size, &made), (Some(made.len() as u64), &answered.unwrap().to_bytes()));
    }
}

/// HC-10: an unused feature costs nothing.
#[test]
fn hc_10_sizes() {
    use std::mem::size_of;
    type Inner = std::future::Ready<Result<Response<Body>, Error<Infallible>>>;
    type Future = seaworthy::http::RespondFuture<Inner>;
    assert!(size_of::<Future>() <= size_of::<Inner>() + 16, "{} {}", size_of::<Future>(), size_of::<Inner>());
    assert_eq!(size_of::<RespondBody<Box<dyn std::any::Any>>>(), 24);
}

/// HC-09: over HTTP a full bulkhead gives the time that was set, or 1 s if none was; a service that is not ready
/// because of an open circuit gives the rest of its open time.
#[tokio::test]
async fn hc_09_retry_after() {
    for (wait, expected) in [(None, "1"), (Some(Duration::from_millis(2_100)), "3")] {
        let full = Rejected::BulkheadFull { name: "secret".into(), retry_after: wait.into() };
        assert_eq!(response_of(&full).headers()["retry-after"], expected);
    }
    let not_ready = |retry_after| {
        response_of(&Rejected::NotReady { reason: "secret".into(), retry_after: RetryAfter::from(retry_after) })
    };
    assert_eq!(not_ready(Some(Duration::from_secs(7))).headers()["retry-after"], "7");
    assert!(!not_ready(None).headers().contains_key("retry-after"));
}
