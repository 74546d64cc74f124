//! Rejections as callers of an axum server get them, through real sockets.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests, helpers included")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::{HttpClassifier, RespondLayer};
use seaworthy::{CircuitBreaker, Error, State, WrapErrorLayer};
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, service_fn};

/// A caller that waits longer has found a bug; no test here has to wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens on the first failure.
fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("payments-db-7")
        .consecutive_failures(1)
        .open_for(Duration::from_millis(29_500))
        .build()
        .unwrap()
}

/// The rest of the open time, in seconds, rounded up.
fn whole_seconds(circuit_breaker: &CircuitBreaker) -> u64 {
    let left = circuit_breaker.snapshot().retry_after.expect("open for a certain time");
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// A handler that counts its calls and fails.
fn failing(calls: &Arc<AtomicU64>) -> axum::routing::MethodRouter {
    let calls = Arc::clone(calls);
    get(async move || {
        calls.fetch_add(1, Ordering::SeqCst);
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

struct Caller {
    client: Client<HttpConnector, Empty<Bytes>>,
    server: SocketAddr,
}

impl Caller {
    fn new(server: SocketAddr) -> Caller {
        Caller { client: Client::builder(TokioExecutor::new()).build_http(), server }
    }

    async fn get(&self, path: &str) -> http::Response<Bytes> {
        let uri: Uri = format!("http://{}{path}", self.server).parse().unwrap();
        let call = async {
            let (head, body) = self.client.get(uri).await.unwrap().into_parts();
            Response::from_parts(head, body.collect().await.unwrap().to_bytes())
        };
        tokio::time::timeout(PATIENCE, call).await.expect("an answer")
    }
}

/// RD-04: an open circuit answers 503 with `Retry-After` in whole seconds rounded up, and with JSON that names the
/// reason and leaks nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_circuit_answers_503() {
    let calls = Arc::new(AtomicU64::new(0));
    let circuit_breaker = circuit_breaker();
    let app = Router::new().route("/", failing(&calls)).layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new())
            .layer(circuit_breaker.layer().classify(HttpClassifier))
            .layer(WrapErrorLayer::new()),
    );
    let caller = Caller::new(serve(app).await);

    // The first call reaches the handler and opens the circuit; its caller gets the handler's own response.
    let own = caller.get("/").await;
    assert_eq!((own.status(), own.headers().get(RETRY_AFTER)), (StatusCode::INTERNAL_SERVER_ERROR, None));
    assert_eq!(circuit_breaker.state(), State::Open);

    // About 29.5 s are left: the answer is rounded up from the rest at that moment.
    let most = whole_seconds(&circuit_breaker);
    let rejected = caller.get("/").await;
    let least = whole_seconds(&circuit_breaker);
    assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rejected.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(rejected.body(), r#"{"error":"circuit open"}"#);
    let seconds: u64 = rejected.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((least..=most).contains(&seconds), "{seconds}, not from {least} to {most}");
    let mut headers: Vec<_> = rejected.headers().keys().map(|name| name.as_str()).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["content-length", "content-type", "date", "retry-after"], "nothing else is told");

    // Forced open: the time is unknown.
    circuit_breaker.force_open();
    let rejected = caller.get("/").await;
    assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rejected.headers().get(RETRY_AFTER), None);
    assert_eq!(calls.load(Ordering::SeqCst), 1, "the handler saw the first call only");

    // It is the circuit that rejects: without it the same call reaches the handler.
    circuit_breaker.force_closed();
    assert_eq!(caller.get("/").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// RD-06: above the responding layer an `Infallible` service is `Infallible` again, so that a router accepts the stack
/// unchanged, as a layer and as a service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_infallible_service_is_infallible_again() {
    fn is_infallible<S: Service<Request, Error = Infallible>>(stack: S) -> S {
        stack
    }

    async fn handler(_: Request) -> Result<Response, Infallible> {
        Ok(Response::new(Body::from("hello")))
    }

    let circuit_breaker = circuit_breaker();
    let layers = ServiceBuilder::new()
        .layer(RespondLayer::new())
        .layer(circuit_breaker.layer().classify(HttpClassifier))
        .layer(WrapErrorLayer::new());
    let service = is_infallible(layers.clone().service(service_fn(handler)));
    // It is the responding layer that narrows the error type, not an error type that was never wider.
    fn is_open<S: Service<Request, Error = Error<Infallible>>>(_: &S) {}
    is_open(
        &ServiceBuilder::new().layer(circuit_breaker.layer()).layer(WrapErrorLayer::new()).service(service_fn(handler)),
    );

    let app = Router::new()
        .route_service("/service", service)
        .merge(Router::new().route("/layer", get(async || "hello")).layer(layers));
    let caller = Caller::new(serve(app).await);
    for path in ["/service", "/layer"] {
        let answer = caller.get(path).await;
        assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::OK, &b"hello"[..]), "{path}");
    }
    circuit_breaker.force_open();
    for path in ["/service", "/layer"] {
        assert_eq!(caller.get(path).await.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

/// CB-22: `layer()` is called once for each of axum's routes, and all of them share one circuit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_routes_of_a_router_share_one_circuit() {
    let (first, second, third) = (Arc::default(), Arc::default(), Arc::default());
    let (circuit_breaker, other) = (circuit_breaker(), circuit_breaker());
    let stack = |circuit_breaker: &CircuitBreaker| {
        ServiceBuilder::new()
            .layer(RespondLayer::new())
            .layer(circuit_breaker.layer().classify(HttpClassifier))
            .layer(WrapErrorLayer::new())
    };
    let app = Router::new()
        .route("/first", failing(&first))
        .route("/second", failing(&second))
        .route("/third", failing(&third))
        .layer(stack(&circuit_breaker))
        .merge(Router::new().route("/other", get(async || "well")).layer(stack(&other)));
    let caller = Caller::new(serve(app).await);

    // One failure on one route opens the circuit for all three, whose handlers are not called.
    assert_eq!(caller.get("/second").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    for path in ["/first", "/second", "/third"] {
        assert_eq!(caller.get(path).await.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let calls = [&first, &second, &third].map(|calls| calls.load(Ordering::SeqCst));
    assert_eq!((calls, circuit_breaker.snapshot().rejected), ([0, 1, 0], 3));

    // A route with its own circuit breaker is not affected.
    assert_eq!(caller.get("/other").await.status(), StatusCode::OK);
    assert_eq!((other.state(), other.snapshot().rejected), (State::Closed, 0));
}
