//! The port that Prometheus scrapes, and a scrape.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::PrometheusHandle;
use seaworthy::BoxError;
use tokio::net::TcpListener;

/// Answers `GET /metrics`, for ever.
pub(crate) async fn serve(listener: TcpListener, handle: PrometheusHandle) -> std::io::Result<()> {
    let metrics = move || {
        // The exporter keeps raw histogram values until upkeep; a scrape is a good time for it.
        handle.run_upkeep();
        let text = handle.render();
        async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    axum::serve(listener, Router::new().route("/metrics", get(metrics))).await
}

/// Reads `/metrics` the way Prometheus does.
pub(crate) async fn scrape(address: SocketAddr) -> Result<String, BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = client.get(format!("http://{address}/metrics").parse()?);
    let response = tokio::time::timeout(Duration::from_secs(10), request).await??;
    if !response.status().is_success() {
        return Err(format!("{address} answers {}", response.status()).into());
    }
    Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().into())?)
}
