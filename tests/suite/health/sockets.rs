//! Over real sockets.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use seaworthy::http::RespondLayer;
use seaworthy::{Health, Phase, WrapErrorLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

use super::serving;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// What comes over the wire: the lower-case head, and the body.
async fn send(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.into())
}

async fn assert_served(address: SocketAddr, health: &Health, prefix: &str) {
    for path in ["live", "ready", "startup"] {
        let path = format!("{prefix}/{path}");
        let (head, body) = send(address, "GET", &path).await;
        assert!(head.starts_with("http/1.1 200 ok\r\n") && head.contains("content-length: 15"), "{path}: {head}");
        assert!(head.contains("content-type: application/json") && head.contains("cache-control: no-store"), "{head}");
        assert_eq!(body, r#"{"status":"ok"}"#);
        let (head, body) = send(address, "HEAD", &path).await;
        assert!(head.starts_with("http/1.1 200 ok\r\n") && head.contains("content-length: 15"), "{path}: {head}");
        assert_eq!((head.matches("content-length").count(), body.as_str()), (1, ""));
        let (head, _) = send(address, "POST", &path).await;
        assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: get, head"), "{head}");
    }
    let (head, _) = send(address, "GET", &format!("{prefix}/x")).await;
    assert!(head.starts_with("http/1.1 404 "), "{head}");
    health.advance(Phase::Draining);
    let (head, body) = send(address, "GET", &format!("{prefix}/ready")).await;
    assert!(head.starts_with("http/1.1 503 "), "{head}");
    assert_eq!(body, r#"{"status":"shutting down"}"#);
}

async fn assert_router(build: impl FnOnce(&Health) -> Router, prefix: &str) {
    let health = serving();
    let (listener, address) = listen().await;
    let app = build(&health);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    assert_served(address, &health, prefix).await;
    server.abort();
}

/// HE-09: in an axum router, in every way that it takes a service, with or without the prefix stripped from the path.
#[tokio::test]
async fn in_axum() {
    assert_router(|health| Router::new().nest_service("/health", health.endpoints()), "/health").await;
    assert_router(|health| Router::new().fallback_service(health.endpoints()), "/health").await;
    assert_router(
        |health| Router::new().nest("/api", Router::new().fallback_service(health.endpoints())),
        "/api/health",
    )
    .await;
    assert_router(|health| Router::new().route_service("/health/{endpoint}", health.endpoints()), "/health").await;
    assert_router(
        |health| Router::new().route_service("/-/{endpoint}", health.endpoints().prefix("/-").unwrap()),
        "/-",
    )
    .await;
}

/// HE-09: as a standalone service.
#[tokio::test]
async fn on_hyper() {
    let health = serving();
    let (listener, address) = listen().await;
    let service = TowerToHyperService::new(health.endpoints());
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let serving =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(serving);
        }
    });
    assert_served(address, &health, "/health").await;
    server.abort();
}

/// RD-04, RD-06, RD-07: in a router, a service that is not ready answers 503 to everything except the health endpoints,
/// even when these are inside the stack.
#[tokio::test]
async fn the_whole_stack() {
    let health = Health::new();
    let app = Router::new().route("/", get(async || "hello")).nest_service("/health", health.endpoints()).layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new())
            .layer(health.http_readiness_layer())
            .layer(WrapErrorLayer::new()),
    );
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let ask = async |path| {
        let (head, body) = send(address, "GET", path).await;
        (head["http/1.1 ".len()..][..3].to_owned(), body)
    };
    let not_ready = ("503".into(), r#"{"error":"not ready"}"#.into());
    assert_eq!(ask("/").await, not_ready);
    assert_eq!(ask("/health/live").await, ("503".into(), r#"{"status":"not started"}"#.into()));
    health.advance(Phase::Serving);
    assert_eq!(ask("/").await, ("200".into(), "hello".into()));
    health.require("backend", || false).unwrap();
    assert_eq!(ask("/").await, not_ready);
    assert_eq!(ask("/health/ready").await, ("503".into(), r#"{"checks":{"backend":"fail"},"status":"fail"}"#.into()));
    assert_eq!(ask("/health/live").await, ("200".into(), r#"{"status":"ok"}"#.into()));
    assert_eq!(health.in_flight(), 0);
    server.abort();
}
