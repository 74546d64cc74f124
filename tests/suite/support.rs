//! Shared by several tests.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, TransitionCause};
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{Event, State, Verdict};
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Subscriber};
pub use tracing_subscriber::filter::LevelFilter;

/// Advances the paused clock.
pub async fn advance(span: Duration) {
    tokio::time::advance(span).await;
}

/// Lets time pass on the paused clock, which goes from timer to timer, so that everything happens at its own time.
#[allow(clippy::disallowed_methods, reason = "the clock is paused")]
pub async fn pass(span: Duration) {
    for span in [Duration::ZERO, span, Duration::ZERO] {
        tokio::time::sleep(span).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

/// Reads the paused clock.
#[allow(clippy::disallowed_methods, reason = "tests look at the clock that they have paused")]
pub fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);

/// Subscribers that listen on no thread: one that wants nothing, and one that wants everything.
static NOBODY: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
    let all = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).finish();
    [Dispatch::new(NoSubscriber::default()), Dispatch::new(all)]
});

/// Makes `subscriber` receive what this thread logs, while the guard is held.
///
/// From the first time it is reached, a log statement remembers whether any subscriber wants it. While there is only
/// one subscriber, the thread that reaches the statement first decides that, even if it belongs to another test and has
/// no subscriber: then the statement is lost to all. With several that disagree, the thread's own subscriber is asked
/// each time. The first of them wants nothing, so that no statement is reached before there are two.
pub fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    LazyLock::force(&NOBODY);
    tracing::subscriber::set_default(subscriber)
}

/// What a thread logs.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Receives what this thread logs from `level` on, while the guard is held.
    pub fn listen(&self, level: LevelFilter) -> DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false).without_time();
        listen(subscriber.with_writer(move || log.clone()).finish())
    }

    /// What was received since the last call.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Settles one call after another; each must be admitted.
pub fn settle(circuit_breaker: &seaworthy::CircuitBreaker, verdicts: &[Verdict]) {
    for verdict in verdicts {
        circuit_breaker.admit().expect("let in").settle(*verdict);
    }
}

/// Every event of a circuit breaker, in order.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    Changed(State, State, TransitionCause),
    Rejected(Option<Duration>),
    WouldHaveOpened(TransitionCause),
}

impl Told {
    /// Makes this the observer of the circuit breaker that is being built.
    pub fn by(&self, builder: CircuitBreakerBuilder) -> CircuitBreakerBuilder {
        let lines = Arc::clone(&self.0);
        builder.observer(move |event: &Event<'_>| {
            let line = match event {
                Event::CircuitBreaker(CircuitBreakerEvent::Transition { from, to, cause, .. }) => {
                    Line::Changed(*from, *to, *cause)
                }
                Event::CircuitBreaker(CircuitBreakerEvent::Rejected { retry_after, .. }) => {
                    Line::Rejected(*retry_after)
                }
                Event::CircuitBreaker(CircuitBreakerEvent::WouldHaveOpened { cause, .. }) => {
                    Line::WouldHaveOpened(*cause)
                }
                other => panic!("no test knows of {other:?}"),
            };
            lines.lock().unwrap().push(line);
        })
    }

    /// Takes all lines so far; the next call starts over.
    pub fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Takes the changes of state so far; the next call starts over.
    pub fn changes(&self) -> Vec<(State, State)> {
        self.take()
            .into_iter()
            .filter_map(|line| match line {
                Line::Changed(from, to, _) => Some((from, to)),
                _ => None,
            })
            .collect()
    }
}
