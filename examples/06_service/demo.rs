//! The life of a service, over real sockets: ready, without its dependency, recovered, and stopped with requests in
//! flight.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::BoxError;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::dependency;
use crate::service::{self, Settings};

const IN_FLIGHT: usize = 20;
/// Anything awaited has happened by then, or never will.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Result<(), BoxError> {
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        drain: Some(Duration::from_millis(500)),
        grace: Duration::from_secs(5),
        open_for: Duration::from_secs(1),
        ..Settings::default()
    };
    let (runner, address) = service::build(&settings).await?;
    // Not a task of the runner: a runner waits for its tasks, and this one waits for the runner.
    let story = tokio::spawn(story(Caller::new(address)));
    let ended = runner.run().await;
    // If the run ended for another reason, the story does not get what it waits for.
    tokio::time::timeout(PATIENCE, story).await???;
    ended?;
    tracing::info!("the run ended well");
    Ok(())
}

async fn story(caller: Caller) -> Result<(), BoxError> {
    caller.until("/health/ready", 200).await?;
    caller.expect("/hello", 200).await?;
    caller.expect("/orders", 200).await?;

    tracing::info!("----- the dependency fails");
    dependency::fails(true);
    for _ in 0..3 {
        caller.expect("/orders", 502).await?;
    }
    caller.expect("/health/ready", 503).await?;
    caller.expect("/health/live", 200).await?;
    caller.expect("/hello", 503).await?;

    tracing::info!("----- it heals, and the first request after the open time finds out");
    dependency::fails(false);
    caller.until("/health/ready", 200).await?;
    caller.expect("/orders", 200).await?;
    caller.expect("/hello", 200).await?;

    tracing::info!("----- SIGTERM, with {IN_FLIGHT} requests in flight");
    let mut slow = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let caller = caller.clone();
        slow.spawn(async move { caller.get("/slow?ms=1500").await });
    }
    sleep(Duration::from_millis(300)).await;
    terminate().await?;
    caller.until("/health/ready", 503).await?;
    caller.expect("/health/live", 200).await?;
    let mut answered = 0;
    while let Some(answer) = slow.join_next().await {
        answered += usize::from(answer?? == 200);
    }
    tracing::info!("all of {answered} were answered");
    if answered != IN_FLIGHT {
        return Err(format!("{} requests were lost", IN_FLIGHT - answered).into());
    }
    Ok(())
}

/// The way an orchestrator would, to this very process.
#[cfg(unix)]
async fn terminate() -> Result<(), BoxError> {
    let command = format!("kill -TERM {}", std::process::id());
    let status = tokio::task::spawn_blocking(move || std::process::Command::new("sh").args(["-c", &command]).status());
    if status.await??.success() { Ok(()) } else { Err("the signal could not be sent".into()) }
}

#[cfg(not(unix))]
async fn terminate() -> Result<(), BoxError> {
    Err("there are no signals here: run it with --listen and press Ctrl-C".into())
}

#[derive(Clone)]
struct Caller {
    address: SocketAddr,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Caller {
    fn new(address: SocketAddr) -> Caller {
        // A new connection for each request, as from many callers.
        Caller { address, client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http() }
    }

    async fn get(&self, path: &str) -> Result<u16, BoxError> {
        let response = self.client.get(format!("http://{}{path}", self.address).parse()?).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await?;
        Ok(status)
    }

    async fn expect(&self, path: &str, expected: u16) -> Result<(), BoxError> {
        let status = self.get(path).await?;
        tracing::info!(status, path, "asked");
        if status == expected { Ok(()) } else { Err(format!("{path} answered {status}, not {expected}").into()) }
    }

    async fn until(&self, path: &str, expected: u16) -> Result<(), BoxError> {
        let start = Instant::now();
        while self.get(path).await? != expected {
            if start.elapsed() > PATIENCE {
                return Err(format!("{path} did not answer {expected} in time").into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        tracing::info!(status = expected, path, "answered as expected, in the end");
        Ok(())
    }
}
