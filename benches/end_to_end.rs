//! Requests per second of an axum server, bare and with the whole server stack around its routes, over real sockets.
//!
//! `cargo bench -p seaworthy-benches --bench end_to_end` measures both in turn, in one run, and prints the medians; `--
//! --test` tries each once.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::RespondLayer;
use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Health, Phase, TimeoutLayer, WrapErrorLayer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceBuilder;

/// The number of callers. Each keeps its connection and waits for the response before its next request.
const CALLERS: usize = 16;

fn bare() -> Router {
    Router::new().route("/hello", get(async || "hello"))
}

/// Respond, readiness with two checks, bulkhead, timeout.
fn stacked() -> Result<Router, BoxError> {
    let health = Health::new();
    health.require("dependency", CircuitBreaker::builder("dependency").build()?)?;
    health.report("journal", || true)?;
    health.advance(Phase::Serving);
    let bulkhead = Bulkhead::builder("requests").limit(512).build()?;
    Ok(bare()
        .layer(
            ServiceBuilder::new()
                .layer(RespondLayer::new())
                .layer(health.readiness_layer())
                .layer(bulkhead.layer())
                .layer(TimeoutLayer::new(Duration::from_secs(60)))
                .layer(WrapErrorLayer::new()),
        )
        .nest_service("/health", health.endpoints()))
}

async fn serve(router: Router) -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

async fn ask(client: HttpClient, address: SocketAddr, times: usize) -> Result<(), BoxError> {
    for _ in 0..times {
        let response = client.get(format!("http://{address}/hello").parse()?).await?;
        assert!(response.status().is_success(), "every call is answered");
        response.into_body().collect().await?;
    }
    Ok(())
}

/// Requests per second of one round.
async fn round(client: &HttpClient, address: SocketAddr, each: usize) -> Result<f64, BoxError> {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(ask(client.clone(), address, each));
    }
    for done in callers.join_all().await {
        done?;
    }
    Ok((CALLERS * each) as f64 / start.elapsed().as_secs_f64())
}

fn median(rounds: &mut [f64]) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let is_test = std::env::args().any(|argument| argument == "--test");
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let (rounds, each) = if is_test { (1, 10) } else { (41, 500) };
    let (bare, stacked) = (serve(bare()).await?, serve(stacked()?).await?);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (mut of_bare, mut of_stacked, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..=rounds {
        // In turn, each going first in every other round, so that a disturbance hits both.
        let (first, second) = if number % 2 == 0 { (bare, stacked) } else { (stacked, bare) };
        let (a, b) = (round(&client, first, each).await?, round(&client, second, each).await?);
        let (a, b) = if number % 2 == 0 { (a, b) } else { (b, a) };
        if number > 0 {
            of_bare.push(a);
            of_stacked.push(b);
            shares.push(b / a);
        }
    }
    println!("end to end, {CALLERS} callers: requests per second, medians of {rounds} rounds in turn\n");
    println!("| server | requests per second | share |\n|---|---:|---:|");
    println!("| bare | {:.0} | 1 |", median(&mut of_bare));
    println!(
        "| respond › readiness › bulkhead › timeout | {:.0} | {:.3} |",
        median(&mut of_stacked),
        median(&mut shares)
    );
    Ok(())
}
