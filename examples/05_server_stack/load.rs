//! Callers at a fixed rate, whether the server keeps up or not, as on the internet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::BoxError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

pub(crate) const RATE: u32 = 250;
pub(crate) const SPAN: Duration = Duration::from_secs(3);
/// A later response is of no use.
pub(crate) const DEADLINE: Duration = Duration::from_millis(200);
/// When callers hang up.
const PATIENCE: Duration = Duration::from_millis(800);

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

/// What callers got.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) calls: u32,
    /// How long the good answers took, sorted.
    pub(crate) good: Vec<Duration>,
    pub(crate) late: u32,
    pub(crate) unavailable: u32,
    pub(crate) timed_out: u32,
    pub(crate) hung_up: u32,
}

impl Outcome {
    /// Good answers per second.
    pub(crate) fn goodput(&self) -> f64 {
        self.good.len() as f64 / SPAN.as_secs_f64()
    }

    /// The time within which `share` of the good responses came.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.good.len() as f64).ceil() as usize;
        self.good.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

pub(crate) async fn run(server: SocketAddr) -> Result<Outcome, BoxError> {
    let uri: Uri = format!("http://{server}/").parse()?;
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    let mut calls = JoinSet::new();
    let mut clock = interval(Duration::from_secs(1) / RATE);
    // A timer that is late catches up: the load is the same on a slow machine.
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..RATE * SPAN.as_secs() as u32 {
        clock.tick().await;
        calls.spawn(call(client.clone(), uri.clone()));
    }

    let mut outcome = Outcome::default();
    for result in calls.join_all().await {
        outcome.calls += 1;
        match result? {
            None => outcome.hung_up += 1,
            Some((StatusCode::OK, took)) if took <= DEADLINE => outcome.good.push(took),
            Some((StatusCode::OK, _)) => outcome.late += 1,
            Some((StatusCode::SERVICE_UNAVAILABLE, _)) => outcome.unavailable += 1,
            Some((StatusCode::GATEWAY_TIMEOUT, _)) => outcome.timed_out += 1,
            Some((status, _)) => return Err(format!("the server answered {status}").into()),
        }
    }
    outcome.good.sort_unstable();
    Ok(outcome)
}

/// The response, if it came before the caller hung up.
async fn call(client: HttpClient, uri: Uri) -> Result<Option<(StatusCode, Duration)>, BoxError> {
    let start = Instant::now();
    let answer = timeout(PATIENCE, async {
        let (head, body) = client.get(uri).await?.into_parts();
        body.collect().await?;
        Ok::<_, BoxError>(head.status)
    });
    match answer.await {
        Ok(status) => Ok(Some((status?, start.elapsed()))),
        Err(_) => Ok(None),
    }
}
