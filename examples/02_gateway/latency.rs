//! How long callers wait for an answer.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use seaworthy::BoxError;
use tower::{Service, ServiceExt};

use crate::caller::Caller;

/// Rejected calls in this process, which is the gateway's own share: at most `most`, for at most `within`.
pub(crate) async fn in_process(gateway: &Router, most: usize, within: Duration) -> Result<Latencies, BoxError> {
    let mut gateway = gateway.clone().into_service();
    let (mut times, end) = (Vec::new(), Instant::now() + within);
    while times.len() < most && Instant::now() < end {
        let request = Request::get("/greeting").body(Body::empty())?;
        let start = Instant::now();
        let response = gateway.ready().await?.call(request).await?;
        times.push(start.elapsed());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Latencies::new(times))
}

/// Rejected calls through a socket: at most `most`, for at most `within`.
pub(crate) async fn by_socket(caller: &Caller, most: usize, within: Duration) -> Result<Latencies, BoxError> {
    let (mut times, end) = (Vec::new(), Instant::now() + within);
    while times.len() < most && Instant::now() < end {
        let answer = caller.call().await?;
        assert!(answer.is_rejection(), "{answer:?}");
        times.push(answer.took);
    }
    Ok(Latencies::new(times))
}

/// How long calls took.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn new(mut times: Vec<Duration>) -> Latencies {
        times.sort_unstable();
        Latencies(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which `share` of the calls were answered.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

pub(crate) fn print_latencies(rows: &[(&str, &Latencies)]) {
    println!("\nHow long an answer takes\n");
    println!("{:<50}{:>8}{:>10}{:>10}{:>10}", "", "calls", "p50", "p99", "max");
    for (what, times) in rows {
        print!("{what:<50}{:>8}", times.count());
        for share in [0.5, 0.99, 1.0] {
            print!("{:>10}", readable(times.quantile(share)));
        }
        println!();
    }
}

/// In the same unit if possible, so that rows compare at a glance.
fn readable(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1e-3 { format!("{:.1} µs", seconds * 1e6) } else { format!("{:.1} ms", seconds * 1e3) }
}
