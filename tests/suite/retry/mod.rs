//! RT: retries and their budget.

mod attempts;
mod budget;
mod cancel;
mod decide;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod http_body;
mod leak;
mod logs;
mod property;
mod run;
mod settings;
mod stack;
mod waits;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::observe::RetryEvent;
use seaworthy::retry::{RetryBuilder, StopReason};
use seaworthy::{Backoff, BoxError, Event, RetryPolicy};
use tower::Service;

/// A policy without waits, whose retries are free.
fn quick(attempts: u32) -> RetryBuilder {
    RetryPolicy::builder("test").attempts(attempts).backoff(Backoff::constant(Duration::ZERO)).no_budget()
}

/// The events of a policy, in order.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Debug, PartialEq)]
enum Line {
    /// After which attempt, with which wait and because of which error.
    Retried(u32, Duration, Option<String>),
    /// After how many attempts, why, and with which error.
    Stopped(u32, StopReason, Option<String>),
}

impl Told {
    fn by(&self, builder: RetryBuilder) -> RetryBuilder {
        let lines = Arc::clone(&self.0);
        builder.observer(move |event: &Event<'_>| {
            let line = match event {
                Event::Retry(RetryEvent::Retried { attempt, delay, error, .. }) => {
                    Line::Retried(*attempt, *delay, error.map(|error| error.to_string()))
                }
                Event::Retry(RetryEvent::Stopped { attempts, reason, error, .. }) => {
                    Line::Stopped(*attempts, *reason, error.map(|error| error.to_string()))
                }
                other => panic!("no retry tells {other:?}"),
            };
            lines.lock().unwrap().push(line);
        })
    }

    /// Takes all lines so far; the next call starts over.
    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Why the retrying ended, each time; the next call starts over.
    fn stops(&self) -> Vec<(u32, StopReason)> {
        let stop = |line| match line {
            Line::Stopped(attempts, reason, _) => Some((attempts, reason)),
            Line::Retried(..) => None,
        };
        self.take().into_iter().filter_map(stop).collect()
    }

    /// The waits; the next call starts over.
    fn delays(&self) -> Vec<Duration> {
        let delay = |line| match line {
            Line::Retried(_, delay, _) => Some(delay),
            Line::Stopped(..) => None,
        };
        self.take().into_iter().filter_map(delay).collect()
    }
}

/// Fails this many calls, then answers with the number of the call. It insists on being made ready before each call, on
/// the very value that is called.
#[derive(Debug)]
struct Flaky {
    failures: u32,
    calls: Arc<AtomicU32>,
    ready: bool,
}

impl Flaky {
    fn new(failures: u32) -> (Flaky, Arc<AtomicU32>) {
        let calls = Arc::<AtomicU32>::default();
        (Flaky { failures, calls: Arc::clone(&calls), ready: false }, calls)
    }
}

impl Clone for Flaky {
    fn clone(&self) -> Flaky {
        Flaky { failures: self.failures, calls: Arc::clone(&self.calls), ready: false }
    }
}

impl<R> Service<R> for Flaky {
    type Response = u32;
    type Error = BoxError;
    type Future = std::future::Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        std::future::ready(if call <= self.failures { Err(format!("failure {call}").into()) } else { Ok(call) })
    }
}

/// Polls once, with a waker that does nothing.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}
