//! What a timeout costs, beside the cheapest conceivable one and beside tower's.
//!
//! Driven by hand with a waker that does nothing, inside a runtime whose driver has parked once with an early timer
//! set, so that no later timer has to wake it. The rows of a group are also measured in turn and compared, because on a
//! noisy machine ratios are better than times.
//!
//! For the ratios alone: `cargo bench -p seaworthy-benches --bench timeout -- none-such`. Run it several times: rows of
//! a few nanoseconds, floors included, can double depending on where the process's stack happens to be.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark prints, and stops at what is wrong"
)]

#[path = "common/timeout.rs"]
mod floor;

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use floor::{FloorBoxed, FloorInline};
use pin_project_lite::pin_project;
use seaworthy::timeout::TimeoutService;
use seaworthy::{BoxError, Error, Timeout};
use tower::{Layer, Service};

const LIMIT: Duration = Duration::from_secs(30);

type Answer = Result<u64, Error<BoxError>>;

/// Answers at once.
#[derive(Clone)]
struct AtOnce;

impl Service<u64> for AtOnce {
    type Response = u64;
    type Error = Error<BoxError>;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(request))
    }
}

/// Answers on the second poll.
#[derive(Clone)]
struct Later;

struct SecondPoll(u64, bool);

impl Future for SecondPoll {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        if std::mem::replace(&mut self.1, true) { Poll::Ready(Ok(self.0)) } else { Poll::Pending }
    }
}

impl Service<u64> for Later {
    type Response = u64;
    type Error = Error<BoxError>;
    type Future = SecondPoll;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        SecondPoll(request, false)
    }
}

/// One call, polled until it is answered. The future is passed to a black box, so that it has to exist in memory as it
/// does when it is part of another; otherwise a whole floor is optimised away.
#[inline]
fn call<S: Service<u64>>(service: &mut S) {
    let cx = &mut Context::from_waker(Waker::noop());
    let _ = black_box(service.poll_ready(cx));
    let mut future = pin!(service.call(black_box(7)));
    black_box(&mut future);
    while future.as_mut().poll(cx).map(|answer| black_box(answer).is_ok()).is_pending() {}
}

type Row<'a> = (&'static str, Box<dyn FnMut(u64) + 'a>);

fn row<'a, S: Service<u64> + 'a>(name: &'static str, mut service: S) -> Row<'a> {
    (name, Box::new(move |calls| (0..calls).for_each(|_| call(&mut service))))
}

fn rows<'a, S>(inner: S) -> Vec<Row<'a>>
where
    S: Service<u64, Error = Error<BoxError>> + Clone + 'a,
    TimeoutService<S>: Service<u64>,
{
    let layer = Timeout::new(LIMIT);
    let named = Timeout::builder(LIMIT).name("bench").build().unwrap();
    let each = Timeout::per_request(|request: &u64| Some(LIMIT * (*request as u32))).build().unwrap();
    vec![
        row("none", inner.clone()),
        row("floor", FloorInline(inner.clone(), LIMIT)),
        row("floor, timer boxed", FloorBoxed(inner.clone(), LIMIT)),
        row("seaworthy", layer.layer().layer(inner.clone())),
        row("seaworthy, named", named.layer().layer(inner.clone())),
        row("seaworthy, per request", each.layer().layer(inner.clone())),
        row("tower", tower::timeout::Timeout::new(Boxing(inner), LIMIT)),
    ]
}

/// tower needs a boxed error; no errors happen here.
#[derive(Clone)]
struct Boxing<S>(S);

pin_project! {
    struct BoxingFuture<F> { #[pin] inner: F }
}

impl<F: Future<Output = Result<T, Error<BoxError>>>, T> Future for BoxingFuture<F> {
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(|error| error.to_string().into())
    }
}

impl<S: Service<u64, Error = Error<BoxError>>> Service<u64> for Boxing<S> {
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxingFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(|error| error.to_string().into())
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        BoxingFuture { inner: self.0.call(request) }
    }
}

/// Medians of many short turns, taken in rotation.
fn compare(group: &str, rows: &mut [Row<'_>]) {
    const TURNS: usize = 301;
    const CALLS: u64 = 400;
    let mut nanos = vec![Vec::with_capacity(TURNS); rows.len()];
    for _ in 0..TURNS {
        for ((_, run), nanos) in rows.iter_mut().zip(&mut nanos) {
            let start = Instant::now();
            run(CALLS);
            nanos.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    let medians = nanos.into_iter().map(|mut nanos| {
        nanos.sort_by(f64::total_cmp);
        nanos[TURNS / 2]
    });
    let medians = medians.collect::<Vec<_>>();
    let of = |name: &str| rows.iter().position(|row| row.0 == name).map_or(f64::NAN, |at| medians[at]);
    println!("{group}: {:>26} {:>8} {:>8}", "ns", "/ floor", "/ tower");
    for ((name, _), median) in rows.iter().zip(&medians) {
        println!("  {name:<24} {median:>8.1} {:>8.2} {:>8.3}", median / of("floor"), median / of("tower"));
    }
}

fn timeout(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut early = pin!(tokio::time::sleep(Duration::from_secs(2)));
        assert!(early.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::time::sleep(Duration::from_millis(2)).await;
        for (name, mut rows) in [("ready", rows(AtOnce)), ("armed", rows(Later))] {
            compare(name, &mut rows);
            let mut group = c.benchmark_group(format!("timeout/{name}"));
            for (row, run) in &mut rows {
                group.bench_function(*row, |b| {
                    b.iter_custom(|calls| {
                        let start = Instant::now();
                        run(calls);
                        start.elapsed()
                    });
                });
            }
        }
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = timeout
}
criterion_main!(benches);
