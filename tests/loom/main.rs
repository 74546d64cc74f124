//! What threads share, under [loom](https://docs.rs/loom): every order in which two or three threads can take their
//! steps, and every stale value that a weak memory model may show them.
//!
//! ```text
//! RUSTFLAGS="--cfg seaworthy_loom" CARGO_TARGET_DIR=target/loom cargo test --release --test loom
//! ```
//!
//! There is a bound on preemptions, so that this takes about a minute. `LOOM_MAX_PREEMPTIONS` sets another bound, and
//! `SEAWORTHY_LOOM_FULL=1` lifts it, which takes hours for three threads.
#![cfg(seaworthy_loom)]

mod bulkhead;
mod circuit_breaker;
mod health;
mod retry;
mod shutdown;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::Notify;

/// Runs `body` in every order with no more than `preemptions` preemptions in all.
fn explore(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    if model.preemption_bound.is_none() && std::env::var_os("SEAWORTHY_LOOM_FULL").is_none() {
        model.preemption_bound = Some(preemptions);
    }
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    model.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let runs = runs.load(Ordering::Relaxed);
    println!("{}: {runs} runs", std::thread::current().name().unwrap_or("a model"));
    // A single run is no race.
    assert!(runs > 1);
}

/// Runs `explore` in a runtime with a paused clock. All threads of a model run in turn on the test's thread, so the
/// time is the same in every run, and any of them may advance it with [`advance`].
fn with_paused_clock(explore: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _clock = runtime.enter();
    explore();
}

/// Advances the paused clock.
fn advance(span: Duration) {
    let _ = pin!(tokio::time::advance(span)).poll(&mut Context::from_waker(Waker::noop()));
}

/// Wakes a thread of the model.
struct Parked(Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Blocks the thread until the future is ready. A lost wake-up is a deadlock, which loom reports.
fn block_on<F: Future>(future: F) -> F::Output {
    let parked = Arc::new(Parked(Notify::new()));
    let waker = Waker::from(Arc::clone(&parked));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        parked.0.wait();
    }
}
