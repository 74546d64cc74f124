//! Callers of the gateway, with a real HTTP client.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::BoxError;
use tokio::task::JoinSet;

/// A caller that waits longer has found a bug.
const PATIENCE: Duration = Duration::from_secs(5);

/// Clones share their connections.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
}

/// What a caller received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) took: Duration,
}

impl Caller {
    pub(crate) fn new(gateway: SocketAddr) -> Result<Caller, BoxError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let uri = format!("http://{gateway}/greeting").parse()?;
        Ok(Caller { client: Client::builder(TokioExecutor::new()).build(connector), uri })
    }

    pub(crate) async fn call(&self) -> Result<Answer, BoxError> {
        let start = Instant::now();
        let (head, body) = tokio::time::timeout(PATIENCE, self.client.get(self.uri.clone())).await??.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await??.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body, took: start.elapsed() })
    }

    /// Starts this many calls at once.
    pub(crate) fn start(&self, count: usize) -> JoinSet<Result<Answer, BoxError>> {
        (0..count)
            .map(|_| {
                let caller = self.clone();
                async move { caller.call().await }
            })
            .collect()
    }

    /// Makes this many calls at once, and waits for all the answers.
    pub(crate) async fn crowd(&self, count: usize) -> Result<Vec<Answer>, BoxError> {
        self.start(count).join_all().await.into_iter().collect()
    }
}

impl Answer {
    /// The seconds in `Retry-After`, if there is one.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
    }

    /// Whether the gateway itself answered because its circuit is open.
    pub(crate) fn is_rejection(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
            && self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
            && self.body == r#"{"error":"circuit open"}"#
    }
}
