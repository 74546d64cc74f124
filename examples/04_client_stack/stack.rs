//! The part to copy: an HTTP client with all four patterns around it, from the caller down to the socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::{HttpClassifier, ReplayBody};
use seaworthy::observe::RetryEvent;
use seaworthy::{Backoff, BoxError, Bulkhead, CircuitBreaker, Event, RetryPolicy, Timeout};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// The most time that any caller waits.
pub(crate) const TOTAL: Duration = Duration::from_millis(1400);
/// The most time that an attempt takes.
pub(crate) const ATTEMPT: Duration = Duration::from_millis(500);
/// How many failures in a row open the circuit, and how long it stays open.
pub(crate) const FAILURES: u32 = 5;
pub(crate) const OPEN: Duration = Duration::from_millis(500);
/// The most attempts at a time.
pub(crate) const PERMITS: u32 = 4;

#[derive(Clone)]
pub(crate) struct Stack {
    service: BoxCloneSyncService<Request<Empty<Bytes>>, Response<Bytes>, BoxError>,
    pub(crate) circuit_breaker: CircuitBreaker,
    /// Attempts sent to the backend, whether they arrived or not.
    attempts: Arc<AtomicU64>,
    /// Waits before another attempt.
    retries: Arc<AtomicU64>,
}

impl Stack {
    pub(crate) fn new() -> Result<Stack, BoxError> {
        let (attempts, retries) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let (client, counter, observed) = (client(), Arc::clone(&attempts), Arc::clone(&retries));

        let retry = RetryPolicy::builder("backend")
            .attempts(3)
            .backoff(Backoff::exponential(Duration::from_millis(50), Duration::from_millis(500)))
            // A little before the total timeout, so that the caller gets the last response rather than a timeout during
            // a wait.
            .deadline(TOTAL - Duration::from_millis(100))
            .observer(move |event: &Event<'_>| {
                if let Event::Retry(RetryEvent::Retried { .. }) = event {
                    observed.fetch_add(1, Ordering::SeqCst);
                }
            })
            .build()?;
        let circuit_breaker =
            CircuitBreaker::builder("backend").consecutive_failures(FAILURES).open_for(OPEN).build()?;
        let bulkhead = Bulkhead::builder("backend").limit(PERMITS).build()?;

        let service = ServiceBuilder::new()
            .layer(Timeout::builder(TOTAL).name("total").build()?.layer())
            .layer(retry.http_layer())
            .layer(circuit_breaker.layer().classify(HttpClassifier))
            .layer(bulkhead.layer())
            // Below the circuit breaker, so that an attempt that hangs counts as a failure.
            .layer(Timeout::builder(ATTEMPT).name("attempt").build()?.layer())
            .service(service_fn(move |request| {
                counter.fetch_add(1, Ordering::SeqCst);
                call(client.clone(), request)
            }));
        Ok(Stack { service: BoxCloneSyncService::new(service), circuit_breaker, attempts, retries })
    }

    pub(crate) async fn call(&self, uri: &str) -> Result<Response<Bytes>, BoxError> {
        self.service.clone().oneshot(Request::get(uri).body(Empty::new())?).await
    }

    pub(crate) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::SeqCst)
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::SeqCst)
    }
}

type HttpClient = Client<HttpConnector, ReplayBody<Empty<Bytes>>>;

/// Keeps no idle connections, so that each attempt meets the backend as it is now. In production, keep them.
fn client() -> HttpClient {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http()
}

/// Reads the body, too: all layers above then see a body that breaks off, or takes too long, as a failed attempt. Not
/// for bodies that are too large to hold in memory.
async fn call(client: HttpClient, request: Request<ReplayBody<Empty<Bytes>>>) -> Result<Response<Bytes>, BoxError> {
    let (head, body) = client.request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
