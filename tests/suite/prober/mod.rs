//! PR, PB: the health prober.

mod circuits;
mod config;
#[cfg(unix)]
mod exec;
#[cfg(feature = "grpc")]
mod grpc;
mod life;
mod resolver;
mod rules;
mod schedule;
mod sockets;
mod wire;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::ProbeEvent;
use seaworthy::prober::{Probe, ProbePolicy, ProbePolicyBuilder, Prober, Target};
use seaworthy::{BoxError, Event, ProbeState};

use crate::support::{SECOND, now};

/// A second from the end of a probe to the next, and no start period.
fn quick() -> ProbePolicyBuilder {
    ProbePolicy::builder().interval(SECOND).start_period(Duration::ZERO)
}

fn policy() -> ProbePolicy {
    quick().build().unwrap()
}

fn prober() -> Prober {
    Prober::builder().build().unwrap()
}

/// Lets every task do what it can do now, without the clock.
async fn calm() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass on the paused clock, which goes from timer to timer, so that everything happens at its own time.
async fn pass(span: Duration) {
    calm().await;
    sleep(span).await;
    calm().await;
}

/// A probe with a script: one step after another, and the last one for ever; it records when it began.
#[derive(Clone, Debug, Default)]
struct Script {
    lines: Arc<Mutex<VecDeque<Line>>>,
    began: Arc<Mutex<Vec<tokio::time::Instant>>>,
    under_way: Arc<Mutex<(usize, usize)>>,
}

#[derive(Clone, Copy, Debug)]
enum Line {
    Ok,
    Fail(&'static str),
    /// Takes this long, and then succeeds.
    Takes(Duration),
    Panic,
    Hang,
}

impl Script {
    fn new(lines: &[Line]) -> Script {
        Script { lines: Arc::new(Mutex::new(lines.iter().copied().collect())), ..Script::default() }
    }

    fn then(&self, line: Line) {
        *self.lines.lock().unwrap() = VecDeque::from([line]);
    }

    fn began(&self) -> Vec<tokio::time::Instant> {
        self.began.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.began().len()
    }

    /// The most that were in flight at once.
    fn most(&self) -> usize {
        self.under_way.lock().unwrap().1
    }
}

/// Counts itself among those in flight.
struct UnderWay(Arc<Mutex<(usize, usize)>>);

impl UnderWay {
    fn new(count: &Arc<Mutex<(usize, usize)>>) -> UnderWay {
        let mut both = count.lock().unwrap();
        both.0 += 1;
        both.1 = both.1.max(both.0);
        UnderWay(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

impl Probe for Script {
    async fn probe(&self) -> Result<(), BoxError> {
        let _under_way = UnderWay::new(&self.under_way);
        self.began.lock().unwrap().push(now());
        let line = {
            let mut lines = self.lines.lock().unwrap();
            if lines.len() > 1 { lines.pop_front() } else { lines.front().copied() }
        };
        match line.unwrap_or(Line::Ok) {
            Line::Ok => Ok(()),
            Line::Fail(why) => Err(why.into()),
            Line::Takes(span) => {
                sleep(span).await;
                Ok(())
            }
            Line::Panic => panic!("at the disco"),
            Line::Hang => std::future::pending().await,
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the clock is paused, or the test is about real time")]
fn sleep(span: Duration) -> impl Future<Output = ()> {
    tokio::time::sleep(span)
}

/// Waits, in real time, for something that has to happen soon.
async fn until(what: &str, happened: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if happened() {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come about within 5 s: {what}");
}

fn error(target: &Target) -> Option<String> {
    target.status().unwrap().last_error.map(|error| error.to_string())
}

/// The changes that a prober reported.
#[derive(Clone, Debug, Default)]
struct Changes(Arc<Mutex<Vec<(String, ProbeState, ProbeState)>>>);

impl Changes {
    fn prober(&self) -> Prober {
        let changes = self.0.clone();
        let observer = move |event: &Event<'_>| match event {
            Event::Probe(ProbeEvent::Transition { name, from, to, .. }) => {
                changes.lock().unwrap().push((name.to_string(), *from, *to));
            }
            other => panic!("no test knows of {other:?}"),
        };
        Prober::builder().observer(observer).build().unwrap()
    }

    fn take(&self) -> Vec<(ProbeState, ProbeState)> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().map(|(_, from, to)| (from, to)).collect()
    }
}
