//! Calls without a runtime's scheduler, inside a runtime whose timers work.

use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use super::Cell;
use crate::bench::Bench;

/// What every call asks for, and gets when it succeeds.
pub(super) const REQUEST: u64 = 7;

/// A call, and whether it ended as its row says.
struct Calls<F> {
    call: F,
    runtime: &'static Runtime,
}

impl<F: FnMut() -> bool> Bench for Calls<F> {
    fn time(&mut self, calls: u64) -> Duration {
        // Entered rather than blocked on: a task of the runtime gets only a limited number of permits from tokio's
        // semaphores before it is told to yield.
        let _entered = self.runtime.enter();
        let mut seen = 0;
        let start = Instant::now();
        for _ in 0..calls {
            seen += u64::from((self.call)());
        }
        let elapsed = start.elapsed();
        assert_eq!(seen, calls, "calls that ended as the row says");
        elapsed
    }
}

pub(super) fn bench(runtime: &'static Runtime, call: impl FnMut() -> bool + 'static) -> Box<dyn Bench> {
    Box::new(Calls { call, runtime })
}

/// Calls of a service that all pass.
pub(super) fn passes<S>(runtime: &'static Runtime, mut service: S) -> Box<dyn Bench>
where
    S: Service<u64, Response = u64, Error: Debug> + 'static,
{
    bench(runtime, move || passed(&ask(&mut service)))
}

/// Calls of a service that are all rejected, as the caller can tell.
pub(super) fn rejects<S>(
    runtime: &'static Runtime,
    mut service: S,
    is_rejection: impl Fn(&S::Error) -> bool + 'static,
) -> Box<dyn Bench>
where
    S: Service<u64, Response = u64> + 'static,
{
    bench(runtime, move || ask(&mut service).is_err_and(|error| is_rejection(&error)))
}

/// A service that is cloned for each call, the way servers do it.
#[derive(Clone)]
pub(super) struct Cloned<S>(pub(super) S);

impl<S: Service<u64> + Clone> Service<u64> for Cloned<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = std::future::Ready<Result<S::Response, S::Error>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, _: u64) -> Self::Future {
        std::future::ready(ask(&mut self.0.clone()))
    }
}

pub(super) fn exact(bench: Box<dyn Bench>) -> Cell {
    Cell::Exact(bench)
}

pub(super) fn nearest(bench: Box<dyn Bench>) -> Cell {
    Cell::Nearest(bench)
}

#[inline]
pub(super) fn passed<E>(answer: &Result<u64, E>) -> bool {
    matches!(answer, Ok(REQUEST))
}

/// One call of a service, readiness first.
#[inline]
pub(super) fn ask<S: Service<u64>>(service: &mut S) -> Result<S::Response, S::Error> {
    ready(service)?;
    finish(service.call(black_box(REQUEST)))
}

/// Does not wait: a service that is not ready would have to be woken.
#[inline]
pub(super) fn ready<S: Service<R>, R>(service: &mut S) -> Result<(), S::Error> {
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("every service here is ready, or says that it rejects"),
    }
}

/// Polls a future until it has ended, which takes one poll, or two with an inner service that is late. It is passed to
/// a black box, so that it has to exist in memory as it does when it is part of another; otherwise whole layers are
/// optimised away.
#[inline]
pub(super) fn finish<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    black_box(&mut future);
    for _ in 0..2 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("nothing here waits")
}

/// A single-threaded runtime whose driver has parked once with an early timer set: no later timer has to wake
/// it, as is the case for timers set from within a busy runtime.
///
/// Neither it nor that timer is ever freed.
pub(super) fn runtime() -> &'static Runtime {
    const EARLY: Duration = Duration::from_secs(20);

    let runtime = Builder::new_current_thread().enable_time().build().expect("threads can be parked here");
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    runtime.block_on(async {
        let early = Box::leak(Box::new(Box::pin(tokio::time::sleep(EARLY))));
        assert!(early.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::time::sleep(Duration::from_millis(2)).await;
    });
    runtime
}
