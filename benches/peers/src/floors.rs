//! The cheapest conceivable middlewares, written by hand: what remains when a breaker costs nothing.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower_service::Service;

use crate::bench::{Bench, bench};
use crate::{Answer, Ask, Inner, Outcome, Peer, Row, Rule, drive};

/// The floors that belong beside a row, by name.
pub fn floors(row: Row) -> Vec<(&'static str, Box<dyn Bench>)> {
    let floors = match row {
        Row::Consecutive | Row::Shared | Row::Apart => {
            vec![(ARC, bench::<ArcFloor>(row)), (STATIC, bench::<StaticFloor>(row))]
        }
        Row::CountWindow => vec![(ARC_COUNT, bench::<ArcCount>(row))],
        Row::TimeWindow(_) => vec![(ARC_COUNT_CLOCK, bench::<ArcCountClock>(row))],
        Row::Open | Row::HalfOpen => vec![(CLOCK, Some(Box::new(Clock) as Box<dyn Bench>))],
    };
    floors.into_iter().filter_map(|(name, bench)| Some((name, bench?))).collect()
}

const ARC: &str = "arc";
const STATIC: &str = "static";
const ARC_COUNT: &str = "arc + count";
const ARC_COUNT_CLOCK: &str = "arc + count + clock";
const CLOCK: &str = "clock";

/// A load in `call`, and an `Arc` in the future.
type ArcFloor = Floor<Arc<AtomicU64>, 0>;
/// The same with state that is never freed.
type StaticFloor = Floor<&'static AtomicU64, 0>;
/// Counts when the call has ended.
type ArcCount = Floor<Arc<AtomicU64>, 1>;
/// Counts, and reads the clock.
type ArcCountClock = Floor<Arc<AtomicU64>, 2>;

#[derive(Clone)]
struct Floor<T, const AT_THE_END: u8> {
    state: T,
    inner: Inner,
}

trait State: Clone + Send + Unpin + 'static {
    const NAMES: [&'static str; 3];

    fn new() -> Self;
    fn get(&self) -> &AtomicU64;
}

impl State for Arc<AtomicU64> {
    const NAMES: [&'static str; 3] = [ARC, ARC_COUNT, ARC_COUNT_CLOCK];

    fn new() -> Self {
        Self::default()
    }

    fn get(&self) -> &AtomicU64 {
        self
    }
}

impl State for &'static AtomicU64 {
    const NAMES: [&'static str; 3] = [STATIC; 3];

    fn new() -> Self {
        Box::leak(Box::default())
    }

    fn get(&self) -> &AtomicU64 {
        self
    }
}

impl<T: State, const AT_THE_END: u8> Service<Ask> for Floor<T, AT_THE_END> {
    type Response = ();
    type Error = crate::Failure;
    type Future = FloorFuture<T, AT_THE_END>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Self::Future {
        black_box(self.state.get().load(Ordering::Acquire));
        FloorFuture { state: self.state.clone(), inner: self.inner.call(ask) }
    }
}

struct FloorFuture<T, const AT_THE_END: u8> {
    state: T,
    inner: Answer,
}

impl<T: State, const AT_THE_END: u8> Future for FloorFuture<T, AT_THE_END> {
    type Output = Result<(), crate::Failure>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.inner).poll(cx);
        if AT_THE_END > 0 && poll.is_ready() {
            self.state.get().fetch_add(1, Ordering::AcqRel);
        }
        if AT_THE_END > 1 && poll.is_ready() {
            black_box(Instant::now());
        }
        poll
    }
}

impl<T: State, const AT_THE_END: u8> Peer for Floor<T, AT_THE_END> {
    const NAME: &'static str = T::NAMES[AT_THE_END as usize];
    const NOTE: &'static str = "";

    fn build(_: Rule, _: Duration) -> Option<Self> {
        Some(Self { state: T::new(), inner: Inner::new() })
    }

    fn share(&self) -> Self {
        self.clone()
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match drive::call(self, ask) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Failed,
        }
    }
}

/// One reading of the clock, the least an open breaker must do to know when to probe.
struct Clock;

impl Bench for Clock {
    fn time(&mut self, calls: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(Instant::now());
        }
        start.elapsed()
    }
}
