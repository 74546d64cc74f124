//! A `reqwest::Client` under the client stack, against a backend that is busy at first and broken in the end: `cargo
//! run --manifest-path examples/reqwest/Cargo.toml`. It ends on its own.
//!
//! [`send`] is the whole bridge. reqwest's own redirects, proxies, TLS and pool stay as they are; its timeouts and
//! retries are better left to the stack, which can see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::State;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use seaworthy::http::{HttpClassifier, ReplayBody};
use seaworthy::{Backoff, BoxError, Bulkhead, CircuitBreaker, Rejected, RetryPolicy, StackError, TimeoutLayer};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// Sends a request from the stack with reqwest. The body is streamed, and a copy is kept for a retry.
async fn send(
    client: reqwest::Client,
    request: Request<ReplayBody<Full<Bytes>>>,
) -> Result<Response<reqwest::Body>, BoxError> {
    let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
    Ok(client.execute(request).await?.into())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let backend = start_backend().await?;
    let client = reqwest::Client::new();

    let retry = RetryPolicy::builder("backend")
        .backoff(Backoff::exponential(Duration::from_millis(20), Duration::from_millis(200)))
        .build()?;
    let circuit_breaker = CircuitBreaker::builder("backend").build()?;
    let bulkhead = Bulkhead::builder("backend").build()?;
    let mut service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(30)))
        .layer(retry.http_layer())
        .layer(circuit_breaker.layer().classify(HttpClassifier))
        .layer(bulkhead.layer())
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .service(service_fn(move |request| send(client.clone(), request)));

    let request = Request::put(format!("{backend}/orders/7")).body(Full::from("two boxes"))?;
    let answer = service.ready().await?.call(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    println!("busy twice, then fine:  {status}, {}", String::from_utf8_lossy(&body));
    if status != StatusCode::OK || body != "got `two boxes` on attempt 3" {
        return Err("the third attempt should have been the answer".into());
    }

    for n in 1.. {
        let request = Request::get(format!("{backend}/broken")).body(Full::default())?;
        match service.ready().await?.call(request).await {
            Ok(answer) => println!("broken, call {n}:         {}", answer.status()),
            Err(error) if matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })) && n > 1 => {
                println!("broken, call {n}:         {error}, the backend is left alone");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Answers a `PUT` with 503 twice, and then with what it received; any other request gets an error.
async fn start_backend() -> Result<String, BoxError> {
    async fn put_order(State(calls): State<Arc<AtomicU32>>, body: Bytes) -> (StatusCode, String) {
        match calls.fetch_add(1, Ordering::Relaxed) + 1 {
            1 | 2 => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            n => (StatusCode::OK, format!("got `{}` on attempt {n}", String::from_utf8_lossy(&body))),
        }
    }
    let app = axum::Router::new()
        .route("/orders/{id}", axum::routing::put(put_order))
        .fallback(async || StatusCode::INTERNAL_SERVER_ERROR)
        .with_state(Arc::<AtomicU32>::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}
