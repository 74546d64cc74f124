//! The timed loops. Each is compiled for its peer, so that the numbers include no indirect call.

use std::any::Any;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Ask, Outcome, Peer, Row};

/// A breaker in the state that a row needs.
pub trait Bench {
    /// Makes `calls` calls and returns how long they took; with two threads, the average of both.
    fn time(&mut self, calls: u64) -> Duration;
}

/// Longer than any run, so that an open breaker stays open.
const FOR_LONG: Duration = Duration::from_secs(600);

pub(crate) fn bench<P: Peer>(row: Row) -> Option<Box<dyn Bench>> {
    Some(match row {
        Row::Consecutive | Row::CountWindow => {
            Box::new(Steady { breaker: P::build(row.rule(), FOR_LONG)?, expected: Outcome::Done })
        }
        Row::TimeWindow(fill) => Box::new(Filled::new(fill, P::build(row.rule(), FOR_LONG)?)),
        Row::Open => {
            let mut breaker = P::build(row.rule(), FOR_LONG)?;
            trip(&mut breaker);
            Box::new(Steady { breaker, expected: Outcome::Rejected })
        }
        Row::HalfOpen => Box::new(HalfOpen::<P>::new(row)?),
        Row::Shared => {
            let breaker = P::build(row.rule(), FOR_LONG)?;
            let other = breaker.share();
            Box::new(Pair::new(breaker, other))
        }
        Row::Apart => {
            let breaker = P::build(row.rule(), FOR_LONG)?;
            Box::new(Pair::new(breaker, elsewhere(row)?))
        }
    })
}

/// Fails calls until the breaker opens.
fn trip<P: Peer>(breaker: &mut P) {
    let opened = (0..1_000).any(|_| breaker.call(Ask::Fail) == Outcome::Rejected);
    assert!(opened, "{} did not open", P::NAME);
}

/// Another breaker, in memory of its own: the last of many built by another thread, because an allocator may well put
/// two small ones on one cache line.
fn elsewhere<P: Peer>(row: Row) -> Option<P> {
    let build = move || {
        let mut many: Vec<_> = (0..256).map(|_| P::build(row.rule(), FOR_LONG)).collect();
        many.pop().flatten()
    };
    thread::spawn(build).join().expect("building does not panic")
}

/// Times calls, and checks that each ended as it should: a row that measures the wrong state is worse than none.
#[inline]
fn run<P: Peer>(breaker: &mut P, calls: u64, expected: Outcome) -> Duration {
    let mut seen = 0;
    let start = Instant::now();
    for _ in 0..calls {
        seen += u64::from(breaker.call(Ask::Succeed) == expected);
    }
    let elapsed = start.elapsed();
    assert_eq!(seen, calls, "{}: calls that ended as {expected:?}", P::NAME);
    elapsed
}

/// A breaker whose cost does not depend on how often it was called before.
struct Steady<P> {
    breaker: P,
    expected: Outcome,
}

impl<P: Peer> Bench for Steady<P> {
    fn time(&mut self, calls: u64) -> Duration {
        run(&mut self.breaker, calls, self.expected)
    }
}

/// A half-open breaker with its probes in flight. They are taken when the first call is timed, so that all breakers of
/// a row wait out their open times together.
struct HalfOpen<P> {
    breaker: P,
    opened: Instant,
    open_for: Duration,
    held: Option<Box<dyn Any>>,
}

impl<P: Peer> HalfOpen<P> {
    fn new(row: Row) -> Option<Self> {
        let open_for = P::HALF_OPEN_AFTER?;
        let mut breaker = P::build(row.rule(), open_for)?;
        trip(&mut breaker);
        Some(Self { breaker, opened: Instant::now(), open_for, held: None })
    }
}

impl<P: Peer> Bench for HalfOpen<P> {
    fn time(&mut self, calls: u64) -> Duration {
        self.held.get_or_insert_with(|| {
            let end = self.opened + self.open_for + Duration::from_millis(10);
            thread::sleep(end.saturating_duration_since(Instant::now()));
            self.breaker.take_probes()
        });
        run(&mut self.breaker, calls, Outcome::Rejected)
    }
}

/// A breaker with a number of calls in its time window; rebuilt and refilled, off the clock, before the timed calls
/// have made it much fuller or the first have expired.
struct Filled<P> {
    fill: u32,
    breaker: P,
    room: u64,
    since: Instant,
}

impl<P: Peer> Filled<P> {
    const FRESH: Duration = Duration::from_secs(8);

    fn new(fill: u32, breaker: P) -> Self {
        Self { fill, breaker, room: 0, since: Instant::now() }
    }

    fn refill(&mut self) {
        self.since = Instant::now();
        self.breaker = P::build(crate::Rule::TimeWindow, FOR_LONG).expect("built before");
        // At least one call, so that the first use of new memory is not timed.
        run(&mut self.breaker, u64::from(self.fill.max(1)), Outcome::Done);
        self.room = u64::from(self.fill / 10).max(64);
    }
}

impl<P: Peer> Bench for Filled<P> {
    fn time(&mut self, calls: u64) -> Duration {
        let mut left = calls;
        let mut total = Duration::ZERO;
        while left > 0 {
            if self.room == 0 || self.since.elapsed() > Self::FRESH {
                self.refill();
            }
            let now = left.min(self.room);
            total += run(&mut self.breaker, now, Outcome::Done);
            self.room -= now;
            left -= now;
        }
        total
    }
}

/// Two threads that call at the same time.
struct Pair<P>([Line<P>; 2]);

/// Keeps two handles off one cache line; what they share behind it is what is measured.
#[repr(align(128))]
struct Line<P>(P);

impl<P> Pair<P> {
    fn new(one: P, other: P) -> Self {
        Self([Line(one), Line(other)])
    }
}

impl<P: Peer> Bench for Pair<P> {
    fn time(&mut self, calls: u64) -> Duration {
        let [one, other] = &mut self.0;
        let gate = AtomicU32::new(0);
        let through = |line: &mut Line<P>| {
            gate.fetch_add(1, Ordering::AcqRel);
            while gate.load(Ordering::Acquire) < 2 {
                spin_loop();
            }
            run(&mut line.0, calls, Outcome::Done)
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| through(other));
            let one = through(one);
            (one + other.join().expect("a timed loop does not panic")) / 2
        })
    }
}
