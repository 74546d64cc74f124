//! A client that survives its backend: total timeout, retry, circuit breaker, bulkhead and attempt timeout around an
//! HTTP client.
//!
//! A backend in this process fails in all the ways that backends do, over real sockets, and heals each time. Each way
//! has a row: what callers got, what the backend was spared, and how soon it is back in service. Everything the rows
//! claim is asserted.
//!
//!     cargo run --release --example 04_client_stack
//!
//! `stack.rs` is the part to copy.
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod backend;
mod report;
mod stack;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::Response;
use backend::{Backend, Mode};
use report::{Row, in_words};
use seaworthy::{BoxError, State};
use stack::{ATTEMPT, FAILURES, PERMITS, Stack, TOTAL};
use tokio::task::JoinSet;

/// What a busy machine may add to a measured time.
const SLACK: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (stack, backend) = (Stack::new()?, Backend::start()?);
    println!(
        "total {TOTAL:?} > 3 attempts > circuit, {FAILURES} failures > bulkhead, {PERMITS} permits > attempt {ATTEMPT:?}\n"
    );
    Row::print_head();

    // Rejected calls return at once: the first two callers cost the backend five attempts, the others none.
    let row = outage("refuses connections", Mode::Refuse, &stack, &backend).await?;
    assert_opened(&row);
    assert_eq!(row.arrived, 0);

    let row = outage("resets connections", Mode::Reset, &stack, &backend).await?;
    assert_opened(&row);
    assert_eq!(row.arrived, row.attempts);

    // Three attempts would take longer than the total timeout allows, which cuts the third short. That one was dropped
    // and says nothing about the backend; the first two timed out below the circuit breaker, and count.
    let row = outage("hangs", Mode::Hang, &stack, &backend).await?;
    assert!(row.slowest < TOTAL + SLACK, "a caller waited for {:?}", row.slowest);
    assert!(row.got("timed out, in total") > 0 && row.got("circuit open") > 0, "{:?}", row.got);
    assert_eq!(row.circuit_breaker, State::Open);

    let row = outage("breaks off in the body", Mode::Truncate, &stack, &backend).await?;
    assert_opened(&row);

    // A minute is too long to wait: the caller gets the 503 at once. Five of them open the circuit.
    let row = outage("503, Retry-After: 60", Mode::Busy { retry_after: 60 }, &stack, &backend).await?;
    assert_eq!((row.got("503"), row.retries, row.arrived), (FAILURES.into(), 0, FAILURES.into()));
    assert_eq!(row.circuit_breaker, State::Open);

    // A second is worth waiting for, and the caller never learns that the backend was busy.
    let row = scene("503 once, Retry-After: 1", Mode::BusyOnce { retry_after: 1 }, &stack, &backend, async || {
        vec![timed(&stack, &backend).await]
    });
    let row = row.await?;
    assert_eq!((row.got("200"), row.attempts, row.retries), (1, 2, 1));
    assert!(row.slowest >= Duration::from_secs(1), "retried after {:?}", row.slowest);
    assert_eq!(row.circuit_breaker, State::Closed);

    // Slow is not down: the circuit stays closed, and the bulkhead keeps the crowd from piling up on the backend.
    let row = scene("is slow, to a crowd", Mode::Slow(Duration::from_millis(150)), &stack, &backend, async || {
        let mut crowd = JoinSet::new();
        for _ in 0..20 {
            let (stack, uri) = (stack.clone(), backend.uri.clone());
            crowd.spawn(async move { timed_call(&stack, &uri).await });
        }
        crowd.join_all().await
    });
    let row = row.await?;
    assert!(row.got("200") >= PERMITS.into() && row.got("bulkhead full") > 0, "{:?}", row.got);
    assert_eq!(row.got("200") + row.got("bulkhead full"), 20, "{:?}", row.got);
    assert!(backend.peak() <= PERMITS.into(), "{} at a time", backend.peak());
    assert_eq!((row.retries, row.circuit_breaker), (0, State::Closed));

    println!("\nEvery claim held.");
    Ok(())
}

/// Ten callers, one after another, while the backend fails.
async fn outage(title: &'static str, mode: Mode, stack: &Stack, backend: &Backend) -> Result<Row, BoxError> {
    scene(title, mode, stack, backend, async || {
        let mut calls = Vec::new();
        for _ in 0..10 {
            calls.push(timed(stack, backend).await);
        }
        calls
    })
    .await
}

fn assert_opened(row: &Row) {
    let failures = u64::from(FAILURES);
    assert_eq!(row.attempts, failures, "{}: attempts after the circuit opened", row.title);
    // The second caller's last attempt met the open circuit, and so did every call after it.
    assert_eq!((row.got("circuit open"), row.circuit_breaker), (9, State::Open), "{}: {:?}", row.title, row.got);
}

type Call = (Result<Response<Bytes>, BoxError>, Duration);

/// The backend fails, callers call, the backend heals and is back in service.
async fn scene(
    title: &'static str,
    mode: Mode,
    stack: &Stack,
    backend: &Backend,
    calls: impl AsyncFnOnce() -> Vec<Call>,
) -> Result<Row, BoxError> {
    let before = (stack.attempts(), stack.retries(), backend.arrived());
    backend.set(mode);
    let (mut got, mut slowest) = (BTreeMap::new(), Duration::ZERO);
    for (result, took) in calls().await {
        *got.entry(in_words(&result)).or_default() += 1;
        slowest = slowest.max(took);
    }
    let (attempts, retries, arrived) = (stack.attempts(), stack.retries(), backend.arrived());
    let circuit_breaker = stack.circuit_breaker.state();

    backend.set(Mode::Answer);
    let back_after = until_back(stack, backend).await;
    let (attempts, retries, arrived) = (attempts - before.0, retries - before.1, arrived - before.2);
    let row = Row { title, got, slowest, attempts, retries, arrived, circuit_breaker, back_after };
    row.print();
    assert_eq!(stack.circuit_breaker.state(), State::Closed, "{title}");
    Ok(row)
}

/// How long it takes from now to the first good response.
async fn until_back(stack: &Stack, backend: &Backend) -> Duration {
    let start = Instant::now();
    while !matches!(stack.call(&backend.uri).await, Ok(response) if response.body() == "hello") {
        assert!(start.elapsed() < stack::OPEN + TOTAL + SLACK, "the backend is well, and out of service");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

async fn timed(stack: &Stack, backend: &Backend) -> Call {
    timed_call(stack, &backend.uri).await
}

async fn timed_call(stack: &Stack, uri: &str) -> Call {
    let start = Instant::now();
    (stack.call(uri).await, start.elapsed())
}
