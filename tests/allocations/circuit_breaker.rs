//! What a circuit breaker costs in heap: nothing for a call, and little for itself.

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::mem::size_of;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService, ResponseFuture};
use seaworthy::{BoxError, CircuitBreaker, Error, ErrorClassifier, Event, Name, OnDrop, Rejected, State, Verdict};
use tower::{Layer, Service};

use crate::allocations;

const CALLS: u32 = 1_000;
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Down;

type Answer = Result<(), Error<Down>>;

/// Behaves as its request says.
#[derive(Clone)]
struct Inner;

impl Service<bool> for Inner {
    type Response = ();
    type Error = Error<Down>;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Answer> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, works: bool) -> Ready<Answer> {
        ready(answer(works))
    }
}

fn answer(works: bool) -> Answer {
    if works { Ok(()) } else { Err(Error::Inner(Down)) }
}

fn call(service: &mut CircuitBreakerService<Inner>, works: bool) -> Answer {
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(service.poll_ready(&mut cx), Poll::Ready(Ok(())));
    at_once(service.call(works))
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// Circuit breakers of all kinds that are closed, and stay closed if every tenth call fails.
fn all_kinds() -> Vec<CircuitBreaker> {
    let builder = || CircuitBreaker::builder("x");
    let kinds = [
        builder(),
        builder().failure_rate(0.5),
        builder().failure_rate(0.5).count_window(50).minimum_calls(10).consecutive_failures(9),
        builder().failure_rate(0.5).time_window(HOUR),
        builder().failure_rate(0.5).slow_rate(0.5).slow_call(HOUR).time_window(HOUR),
        builder().on_drop(OnDrop::FailureAfter(HOUR)),
        builder().consecutive_failures(1).observe_only(),
        builder().failure_rate(0.5).observer(|_: &Event<'_>| {}),
    ];
    kinds.into_iter().map(|kind| kind.build().unwrap()).collect()
}

fn opened(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let circuit_breaker = builder.consecutive_failures(1).build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker
}

#[test]
fn a_call_that_passes() {
    for circuit_breaker in all_kinds() {
        for circuit_breaker in [circuit_breaker.clone(), circuit_breaker.leak()] {
            let mut service = circuit_breaker.layer().layer(Inner);
            let mut waiting = circuit_breaker.layer().wait().layer(Inner);
            // From the first call on.
            let count = allocations(|| {
                for _ in 0..CALLS {
                    assert_eq!(call(&mut service, true), Ok(()));
                    assert_eq!(call(&mut waiting, true), Ok(()));
                }
            });
            assert_eq!(count, 0, "{circuit_breaker:?}");
        }
    }
}

#[test]
fn a_call_that_passes_with_failures_in_the_window() {
    for circuit_breaker in all_kinds() {
        let mut service = circuit_breaker.layer().layer(Inner);
        let mut calls = || {
            for number in 1..=CALLS {
                let works = number % 10 != 0;
                assert_eq!(call(&mut service, works), answer(works));
            }
        };
        // A count window allocates its memory at the first failure.
        calls();
        assert_eq!(allocations(calls), 0, "{circuit_breaker:?}");
        assert_eq!(circuit_breaker.state(), State::Closed);
        let snapshot = circuit_breaker.snapshot();
        assert!(snapshot.counts.failures > 0 || snapshot.counts.consecutive_failures > 0);
    }
}

#[test]
fn a_call_that_is_rejected() {
    for name in [Name::from("static"), Name::from(String::from("made"))] {
        let builder = || CircuitBreaker::builder(name.clone()).open_for(HOUR);
        let forced = builder().build().unwrap();
        forced.force_open();
        let half_open = opened(builder().open_for(Duration::from_nanos(1)).probe_timeout(HOUR));
        let probe = half_open.admit().expect("the open time is over");
        assert!(probe.is_probe());
        let heard = opened(builder().observer(|event: &Event<'_>| _ = black_box(event)));
        for circuit_breaker in [opened(builder()), forced, half_open, heard] {
            let mut service = circuit_breaker.layer().layer(Inner);
            let count = allocations(|| {
                for _ in 0..CALLS {
                    let answer = call(&mut service, true);
                    assert!(matches!(answer, Err(Error::Rejected(Rejected::CircuitOpen { .. }))));
                }
            });
            assert_eq!(count, 0, "{circuit_breaker:?}");
            assert_eq!(circuit_breaker.snapshot().rejected, u64::from(CALLS));
        }
    }
}

/// Only the box of a boxed error is allocated.
#[test]
fn a_boxed_rejection() {
    let circuit_breaker = opened(CircuitBreaker::builder("x").open_for(HOUR));
    let count = allocations(|| {
        let answer = at_once(circuit_breaker.run(async { Ok::<(), BoxError>(()) }));
        assert!(answer.is_err());
    });
    assert_eq!(count, 1);
}

#[test]
fn the_handle() {
    for circuit_breaker in all_kinds() {
        let count = allocations(|| {
            for _ in 0..CALLS {
                circuit_breaker.admit().unwrap().settle(Verdict::Success);
                drop(circuit_breaker.admit().unwrap());
                assert_eq!(at_once(circuit_breaker.run(async { answer(true) })), Ok(()));
                black_box(circuit_breaker.snapshot());
                black_box(circuit_breaker.clone());
                black_box(circuit_breaker.state());
            }
        });
        assert_eq!(count, 0, "{circuit_breaker:?}");
    }
    let circuit_breaker = opened(CircuitBreaker::builder(String::from("x")).open_for(HOUR));
    let count = allocations(|| {
        for _ in 0..CALLS {
            assert!(circuit_breaker.admit().is_err());
            assert!(at_once(circuit_breaker.run(async { answer(true) })).is_err());
            black_box(circuit_breaker.snapshot());
        }
    });
    assert_eq!(count, 0);
}

/// A half-open state is a box with a list of probes, freed when the state ends.
#[test]
fn a_trip_and_a_recovery() {
    let builder = CircuitBreaker::builder("x").consecutive_failures(1).open_for(Duration::from_nanos(1));
    let circuit_breaker = builder.probe_timeout(HOUR).build().unwrap();
    let info = measure(|| {
        circuit_breaker.admit().unwrap().settle(Verdict::Failure);
        let probe = circuit_breaker.admit().expect("the open time is over");
        assert!(probe.is_probe());
        probe.settle(Verdict::Success);
        assert_eq!(circuit_breaker.state(), State::Closed);
    });
    assert!((1..=2).contains(&info.count_total), "{info:?}");
    assert_eq!(info.bytes_current, 0);
}

#[test]
fn clones() {
    let names = [Name::from("static"), Name::from(String::from("made"))];
    for name in names {
        let rejected = Rejected::CircuitOpen { name: name.clone(), retry_after: Some(HOUR).into() };
        let error = Error::<Down>::from(rejected.clone());
        let count = allocations(|| {
            black_box(name.clone());
            black_box(rejected.clone());
            black_box(error.clone());
        });
        assert_eq!(count, 0, "{name}");
    }
}

/// Bytes of heap for each of many circuit breakers.
fn heap(build: impl Fn() -> CircuitBreaker) -> usize {
    const CIRCUITS: usize = 100_000;
    let mut circuits = Vec::with_capacity(CIRCUITS);
    let info = measure(|| circuits.extend((0..CIRCUITS).map(|_| build())));
    assert_eq!(circuits.len(), CIRCUITS);
    usize::try_from(info.bytes_current).unwrap().div_ceil(CIRCUITS)
}

/// The room in which a circuit breaker keeps its metrics.
const SERIES: usize = if cfg!(feature = "metrics") { 24 } else { 0 };

/// At most 128 bytes, besides the name, which is stored inline and takes no heap of its own here.
#[test]
fn heap_of_a_circuit() {
    let name = size_of::<Name>();
    let heap = heap(|| CircuitBreaker::builder("x").build().unwrap());
    println!("{heap} bytes, {name} of them the name");
    assert!(heap - name <= 128 + SERIES, "{heap} bytes with the name");
}

/// Circuit breakers from one template share its settings. The window holds the counts, and so does the lock-free
/// counter with its cache line.
#[test]
fn heap_of_a_circuit_with_a_count_window() {
    let name = size_of::<Name>();
    let window = 64 + 80;
    let template = CircuitBreaker::builder("x").failure_rate(0.5).count_window(100);
    let heap = heap(|| template.clone().build().unwrap());
    println!("{heap} bytes, {name} of them the name and {window} the window");
    assert!(heap - name - window <= 128 + SERIES, "{heap} bytes with name and window");
}

/// The state of a call is stored beside the inner future, without a box.
#[test]
fn sizes() {
    let inner = size_of::<Ready<Answer>>();
    let around = size_of::<ResponseFuture<Ready<Answer>, ErrorClassifier>>();
    println!("the future: {around} around {inner}; a rejection: {}", size_of::<Rejected>());
    assert!(around - inner <= 48, "{around} around {inner}");
    assert!(size_of::<Rejected>() <= 40);
    assert!(size_of::<Error<Down>>() <= 40);
    assert!(size_of::<CircuitBreaker>() <= 16);
}
