//! A policy around gRPC calls.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use seaworthy::http::ReplayBody;
use seaworthy::http::grpc::{Code, GrpcClassifier, GrpcMethods};
use seaworthy::{Backoff, BoxError, Policy, Rejected, StackError, State};
use tower::{Layer, ServiceExt, service_fn};

use super::judge::{Step, Steps, body};
use crate::support::{SECOND, advance};

type Sent = Request<ReplayBody<Full<Bytes>>>;

fn request(path: &str) -> Request<Full<Bytes>> {
    Request::post(path).header("content-type", "application/grpc").body(Full::from("message")).unwrap()
}

fn policy() -> Policy {
    let retry = |retry: seaworthy::retry::RetryBuilder| retry.backoff(Backoff::constant(Duration::ZERO)).no_budget();
    Policy::builder("cart")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(2).open_for(SECOND))
        .bulkhead(|bulkhead| bulkhead.limit(1))
        .retry(retry)
        .timeout(SECOND)
        .build()
        .unwrap()
}

fn named() -> GrpcMethods {
    GrpcMethods::builder().idempotent("/shop.Cart/Get").build().unwrap()
}

const UNAVAILABLE: &[(&str, &str)] = &[("grpc-status", "14")];
const OK: &[(&str, &str)] = &[("grpc-status", "0")];

/// GR-03: `policy.grpc_layer` has the body scope: circuit breaker and bulkhead hold what the call has until the trailers.
#[tokio::test(start_paused = true)]
async fn gr_03_a_policy() {
    let policy = policy();
    let (circuit_breaker, bulkhead) = (policy.circuit_breaker().unwrap(), policy.bulkhead().unwrap());
    let server =
        service_fn(async |_: Sent| Ok::<_, BoxError>(Response::new(body([Step::Data, Step::Trailers(UNAVAILABLE)]))));
    let client = policy.grpc_layer(named()).layer(server);
    for _ in 0..2 {
        assert_eq!(circuit_breaker.state(), State::Closed);
        let response = client.clone().oneshot(request("/shop.Cart/Get")).await.unwrap();
        // A timeout ends with the head.
        advance(5 * SECOND).await;
        assert_eq!((circuit_breaker.state(), bulkhead.available()), (State::Closed, 0));
        response.into_body().collect().await.unwrap();
        assert_eq!(bulkhead.available(), 1);
    }
    assert_eq!(circuit_breaker.state(), State::Open);
    // Open: nothing is sent, and nothing retried.
    let error = client.oneshot(request("/shop.Cart/Get")).await.unwrap_err();
    assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })));
}

/// GR-06: a policy retries what its layer and its settings name, if the head has the code; each such attempt is one
/// failure of the circuit breaker, and gives its permit back before the next.
#[tokio::test]
async fn gr_06_a_policy_retries() {
    let calls = AtomicU32::new(0);
    let server = service_fn(|sent: Sent| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!(sent.into_body().collect().await?.to_bytes(), "message");
            let code = if call == 0 { "14" } else { "0" };
            Ok::<_, BoxError>(Response::builder().header("grpc-status", code).body(Steps::default())?)
        }
    });
    for (path, made, code) in [("/shop.Cart/Get", 2, "0"), ("/shop.Cart/Add", 1, "14")] {
        let policy = policy();
        let response = policy.grpc_layer(named()).layer(server).oneshot(request(path)).await.unwrap();
        assert_eq!(
            (calls.swap(0, Ordering::Relaxed), &response.headers()["grpc-status"]),
            (made, &code.parse().unwrap())
        );
        let failures = policy.circuit_breaker().unwrap().snapshot().counts.consecutive_failures;
        assert_eq!(failures, 1, "{path}: the other call waits for its body's end");
        response.into_body().collect().await.unwrap();
        let failures = policy.circuit_breaker().unwrap().snapshot().counts.consecutive_failures;
        assert_eq!((failures, policy.bulkhead().unwrap().available()), (if made == 2 { 0 } else { 1 }, 1), "{path}");
    }
}

/// GR-04: a policy's layer with failures of one's own judges head and trailers by them.
#[tokio::test]
async fn gr_04_failures_of_ones_own() {
    let policy = policy();
    let layer = policy.grpc_layer_with(GrpcMethods::new(), GrpcClassifier::new().failures(&[Code::Ok, Code::NotFound]));
    let failures = || policy.circuit_breaker().unwrap().snapshot().counts.consecutive_failures;
    for (fields, expected) in [(UNAVAILABLE, 0), (&[("grpc-status", "5")], 1), (OK, 0)] {
        let server = service_fn(async |_: Sent| Ok::<_, BoxError>(Response::new(body([Step::Trailers(fields)]))));
        let response = layer.clone().layer(server).oneshot(request("/a/b")).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(failures(), expected, "{fields:?}");
    }
}

/// TR-01: a policy from data obeys its own `retry.grpc`, whether or not the layer names methods, too.
#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn tr_01_a_policy_from_data() {
    let text = "[a.retry]\nattempts = 2\ngrpc = { codes = [\"ABORTED\"], idempotent = [\"/shop.Stock/Get\"] }\n";
    let policies: seaworthy::Policies = toml::from_str(text).unwrap();
    let calls = AtomicU32::new(0);
    let server = service_fn(|_: Sent| {
        calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(
            Response::builder().header("grpc-status", "10").body(Steps::default()).map_err(BoxError::from),
        )
    });
    for (methods, path, made) in [
        (GrpcMethods::new(), "/shop.Stock/Get", 2),
        (GrpcMethods::new(), "/shop.Cart/Get", 1),
        (named(), "/shop.Stock/Get", 2),
        (named(), "/shop.Cart/Get", 2),
        (named(), "/shop.Cart/Add", 1),
    ] {
        let layer = policies.get("a").unwrap().grpc_layer(methods);
        layer.layer(server).oneshot(request(path)).await.unwrap();
        assert_eq!(calls.swap(0, Ordering::Relaxed), made, "{path}");
    }
}
