use std::time::Duration;

use seaworthy::{
    BoxError, Bulkhead, CircuitBreaker, Deadline, Fallback, Health, Phase, Policy, Rejected, RetryPolicy,
    ServiceBuilderExt, Timeout,
};
use tower::util::BoxService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::SECOND;

/// HC-18: every layer by name, in the order in which they are written; each is that of the handle it was given. tower's
/// own `retry` and `timeout` hide two of the names from method calls here.
#[tokio::test(start_paused = true)]
async fn every_layer_by_name() {
    let circuit_breaker = CircuitBreaker::builder("named").consecutive_failures(2).build().unwrap();
    let bulkhead = Bulkhead::builder("named").limit(1).build().unwrap();
    let retry = RetryPolicy::builder("named").attempts(2).no_budget().build().unwrap();
    let policy = Policy::builder("named").bulkhead(|bulkhead| bulkhead.limit(1)).build().unwrap();
    let timeout = Timeout::new(SECOND);
    let fallback = Fallback::value("named", "something else").build().unwrap();
    let health = Health::new();

    let builder = ServiceBuilder::new().fallback(&fallback).readiness(&health);
    let builder =
        ServiceBuilderExt::retry(builder, &retry).circuit_breaker(&circuit_breaker).bulkhead(&bulkhead).policy(&policy);
    let builder = ServiceBuilderExt::timeout(builder, &timeout).shared();
    let hangs: BoxService<(), &'static str, BoxError> =
        BoxService::new(service_fn(|()| std::future::pending::<Result<_, BoxError>>()));
    let service = builder.service(hangs);

    // Not serving yet: the fallback answers for readiness.
    assert_eq!(service.clone().oneshot(()).await.unwrap(), "something else");
    assert_eq!(health.in_flight(), 0);
    health.advance(Phase::Serving);
    // Two attempts, each cut off by the timeout, open the circuit.
    assert_eq!(service.clone().oneshot(()).await.unwrap(), "something else");
    assert_eq!(circuit_breaker.state(), seaworthy::State::Open);
    circuit_breaker.reset();

    let held = bulkhead.try_acquire().unwrap();
    assert_eq!(service.clone().oneshot(()).await.unwrap(), "something else");
    assert_eq!((bulkhead.snapshot().rejected, circuit_breaker.state()), (1, seaworthy::State::Closed));
    drop(held);
    let held = policy.bulkhead().unwrap().try_acquire().unwrap();
    assert_eq!(service.oneshot(()).await.unwrap(), "something else");
    assert_eq!(policy.bulkhead().unwrap().snapshot().rejected, 1);
    drop(held);
}

/// HC-18: an error that is wrapped by name can hold a rejection.
#[tokio::test(start_paused = true)]
async fn wraps_errors() {
    let builder = ServiceBuilderExt::timeout(ServiceBuilder::new(), &Timeout::new(Duration::ZERO));
    let service = builder.wrap_error().service(service_fn(|()| std::future::pending::<Result<(), std::fmt::Error>>()));
    let error = service.oneshot(()).await.unwrap_err();
    assert!(matches!(error.rejected(), Some(Rejected::TimedOut { .. })));
}

/// HC-18: the layers for HTTP judge by status, repeat what may be repeated, let health endpoints pass and answer
/// rejections. Deadlines come in and go out.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn http_layers_by_name() {
    use axum::Router;
    use axum::routing::get;
    use http::{Request, Response, StatusCode};
    use http_body_util::Empty;
    use seaworthy::http::ReplayBody;

    let (health, circuit_breaker) =
        (Health::new(), CircuitBreaker::builder("named").consecutive_failures(2).build().unwrap());
    let app: Router = Router::new()
        .route("/", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/health/live", get(async || "ok"))
        .layer(
            ServiceBuilder::new().respond().http_readiness(&health).http_circuit_breaker(&circuit_breaker).wrap_error(),
        );
    let ask = async |path: &str| {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!((ask("/").await, ask("/health/live").await), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    health.advance(Phase::Serving);
    for expected in [500, 500, 503] {
        assert_eq!(ask("/").await, expected);
    }

    let see = service_fn(async |request: Request<()>| Ok::<_, BoxError>(request));
    let timed = Request::get("/").header("grpc-timeout", "1S").body(()).unwrap();
    let sent = ServiceBuilder::new().inbound().outbound().service(see).oneshot(timed).await.unwrap();
    assert_eq!(sent.headers()["x-request-timeout-ms"], "1000");

    let retry = RetryPolicy::builder("named").attempts(3).build().unwrap();
    let policy = Policy::builder("named")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(3))
        .build()
        .unwrap();
    type Sent = Request<ReplayBody<ReplayBody<Empty<bytes::Bytes>>>>;
    let busy = service_fn(async |_: Sent| {
        Ok::<_, BoxError>(Response::builder().status(503).body(Empty::<bytes::Bytes>::new())?)
    });
    let service = ServiceBuilder::new().http_retry(&retry).http_policy(&policy).service(busy);
    let request = Request::get("/").body(Empty::new()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 503);
    assert_eq!(policy.circuit_breaker().unwrap().state(), seaworthy::State::Open);
}

/// HC-18: a deadline by name. Without the methods of tower's own `timeout`, which has none of this name.
#[tokio::test(start_paused = true)]
async fn a_deadline_by_name() {
    let see = service_fn(async |()| Ok::<_, BoxError>(Deadline::current()));
    let seen = ServiceBuilder::new().deadline(SECOND).service(see).oneshot(()).await.unwrap();
    assert_eq!(seen, Some(Deadline::within(SECOND)));
}

/// HC-18: gRPC's layers judge by the status of a call and answer with one.
#[cfg(feature = "grpc")]
#[tokio::test(start_paused = true)]
async fn grpc_layers_by_name() {
    use http::{Request, Response};
    use http_body_util::Empty;

    let circuit_breaker = CircuitBreaker::builder("named").consecutive_failures(2).build().unwrap();
    let down = service_fn(async |_: Request<()>| {
        let response = Response::builder().header("content-type", "application/grpc").header("grpc-status", "14");
        Ok::<_, BoxError>(response.body(Empty::<bytes::Bytes>::new())?)
    });
    let service = ServiceBuilder::new().grpc_respond().grpc_circuit_breaker(&circuit_breaker).service(down);
    for (has_message, opens) in [(false, false), (false, true), (true, true)] {
        let request = Request::post("/shop.Cart/Get").header("content-type", "application/grpc").body(()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["grpc-status"]), (200, &"14".parse().unwrap()));
        assert_eq!(response.headers().contains_key("grpc-message"), has_message);
        assert_eq!(circuit_breaker.state() == seaworthy::State::Open, opens);
    }
}
