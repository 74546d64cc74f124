//! How many of those that wait for a circuit breaker are woken, and what that costs the one whose call wakes them.
//!
//! `cargo bench -p seaworthy-benches --bench waiters` prints a table; `-- --test` takes fewer waiters.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and ends when something is wrong"
)]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use seaworthy::circuit_breaker::CircuitBreakerService;
use seaworthy::{CircuitBreaker, Error, Verdict};
use tower::{Layer, Service, service_fn};

const HOUR: Duration = Duration::from_secs(3600);
const OPEN: Duration = Duration::from_millis(500);
/// How long the backend takes to answer the probe.
const ANSWER: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A circuit breaker that was just opened by its first failure.
fn opened(open: Duration) -> CircuitBreaker {
    let circuit_breaker = CircuitBreaker::builder("bench").consecutive_failures(1).open_for(open).build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    circuit_breaker
}

/// Of this many waiters: how many are woken by the end of a probe, and how long it takes. In a runtime, for the timers.
fn a_probe_ends(waiters: usize, verdict: Verdict) -> (usize, Duration) {
    let circuit_breaker = opened(HOUR);
    let woken = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&woken));
    let inner = service_fn(|(): ()| std::future::ready(Ok::<(), Error<&'static str>>(())));
    // Held for a moment while it was closed, it may be probed at once.
    circuit_breaker.reset();
    drop(circuit_breaker.hold_open());
    let probe = circuit_breaker.admit().unwrap();
    assert!(probe.is_probe());
    let mut services: Vec<CircuitBreakerService<_>> =
        (0..waiters).map(|_| circuit_breaker.layer().wait().layer(inner)).collect();
    for service in &mut services {
        assert!(Service::poll_ready(service, &mut Context::from_waker(&waker)).is_pending());
    }
    let start = Instant::now();
    probe.settle(verdict);
    (woken.0.load(Ordering::Relaxed), start.elapsed())
}

/// Of this many tasks that wait on one thread: how many were polled after the end of the open time and before the probe
/// was answered, and how long after the end of the open time the probe began and all were through.
async fn the_open_time_ends(waiters: usize) -> (usize, Duration, Duration) {
    let circuit_breaker = opened(OPEN + Duration::from_micros(20) * waiters as u32);
    let over = Instant::now() + circuit_breaker.snapshot().retry_after.unwrap();
    let polls = Arc::new(AtomicUsize::new(0));
    let calls: Vec<_> = (0..waiters)
        .map(|_| {
            let (polls, counted) = (Arc::clone(&polls), Arc::clone(&polls));
            let inner = service_fn(move |(): ()| {
                let (began, polls) = (Instant::now(), Arc::clone(&counted));
                async move {
                    tokio::time::sleep(ANSWER).await;
                    Ok::<_, Error<&'static str>>((began, polls.load(Ordering::Relaxed)))
                }
            });
            let mut service = circuit_breaker.layer().wait().layer(inner);
            tokio::spawn(async move {
                poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    service.poll_ready(cx)
                })
                .await
                .unwrap();
                service.call(()).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.extend(call.await.unwrap());
    }
    // The probe began before all others. Each was polled once in order to wait.
    let (began, polls) = *answers.iter().min().unwrap();
    (polls - waiters, began.saturating_duration_since(over), over.elapsed())
}

fn main() {
    let most = if std::env::args().any(|argument| argument == "--test") { 1_000 } else { 100_000 };
    let sizes = [1, 1_000, most];
    println!("| waiters | event | woken or polled | takes |\n|---:|---|---:|---:|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _in_runtime = runtime.enter();
    for waiters in sizes {
        for (event, verdict) in [
            ("a permit becomes free", Verdict::Ignored),
            ("the probe fails", Verdict::Failure),
            ("the probe succeeds", Verdict::Success),
        ] {
            let mut runs = [(); 5].map(|()| a_probe_ends(waiters, verdict));
            runs.sort_by_key(|(_, time)| *time);
            let (woken, time) = runs[0];
            println!("| {waiters} | {event} | {woken} | {:.1} µs |", time.as_nanos() as f64 / 1e3);
        }
    }
    for waiters in sizes {
        let (polls, probe, all) = runtime.block_on(the_open_time_ends(waiters));
        println!("| {waiters} | the open time ends, until the probe is answered | {polls} | {:.1} ms |", ms(probe));
        println!("| {waiters} | and until all are through | | {:.1} ms |", ms(all));
    }
}

fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}
