//! All four, nested: retry › circuit breaker › bulkhead › timeout.

use std::fmt::{Debug, Display};
use std::hint::black_box;
use std::time::Duration;

use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Error, Rejected, RetryPolicy, StackError, Timeout, Verdict};
use tokio::runtime::Runtime;
use tower::ServiceBuilder;
use tower_service::Service;

use super::call::{REQUEST, bench, exact, finish, nearest, passed, passes, rejects, runtime};
use super::floor::{Floor, Refuse, Work};
use super::inner::AtOnce;
use super::{Column, Pattern, Target, stack_peers};
use crate::bench::Bench;
use crate::{Failure, Rule};

/// The limit of one attempt.
pub(super) const LIMIT: Duration = Duration::from_secs(1);
/// Calls at a time.
pub(super) const ROOM: u32 = 10;
/// Attempts of a call, the first included.
pub(super) const TRIES: u32 = 3;
/// The first wait between attempts, and the longest.
pub(super) const WAITS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];
/// Longer than any run, so that an open circuit stays open.
pub(super) const OPEN_FOR: Duration = Duration::from_secs(3600);

const HAND: &str = "backon + failsafe + tokio";

type Typed = Error<Failure>;
type Build = fn(&'static Runtime, bool) -> Box<dyn Bench>;

pub(super) fn pattern() -> Pattern {
    let runtime = runtime();
    let both = |build: Build| vec![exact(build(runtime, false)), exact(build(runtime, true))];
    let nearly = |build: Build| vec![nearest(build(runtime, false)), nearest(build(runtime, true))];
    let target = |row, ours, theirs, at_most| Target { row, ours, theirs, at_most };
    Pattern {
        rows: &["closed", "open, rejected"],
        columns: vec![
            Column {
                name: "seaworthy",
                note: "four layers with their defaults, which include a retry budget and full jitter; errors are \
                     `BoxError`, so a rejection is boxed. The retry knows that an open circuit is not to be asked again, and the circuit that a full \
                     bulkhead says nothing of the backend.",
                cells: both(|runtime, open| layers::<BoxError>(runtime, open, Kind { leaked: false, budget: true })),
            },
            Column {
                name: "seaworthy, typed",
                note: "the same with `Error<E>`: a rejection is not boxed.",
                cells: both(|runtime, open| layers::<Typed>(runtime, open, Kind { leaked: false, budget: true })),
            },
            Column {
                name: "seaworthy, typed, no budget",
                note: "the same without the budget, which the others do not have, or not by default.",
                cells: both(|runtime, open| layers::<Typed>(runtime, open, Kind { leaked: false, budget: false })),
            },
            Column {
                name: "seaworthy, leaked, typed, no budget",
                note: "the same with a circuit breaker and a bulkhead that are never freed.",
                cells: both(|runtime, open| layers::<Typed>(runtime, open, Kind { leaked: true, budget: false })),
            },
            Column {
                name: "seaworthy, run, typed, no budget",
                note: "`RetryPolicy::run` around `CircuitBreaker::run` and so on, which borrow their handles: to be \
                     compared with the hand-written ones.",
                cells: both(run),
            },
            Column {
                name: HAND,
                note: "≈ written by hand as one `async fn`: backon's `retry` with jitter around failsafe's future, \
                     around a permit of tokio's `Semaphore`, around tokio's `timeout`. It borrows all of them. No \
                     budget, no limit on probes, and a full bulkhead counts as a success of the circuit, because \
                     there is no third; what is not to be retried is written by hand, too.",
                cells: nearly(stack_peers::by_hand),
            },
            Column {
                name: "the same, a service",
                note: "≈ the same in an `Arc` and tower's `service_fn`: its future owns what it uses, as those of layers \
                     do. To be a part of a named type it would have to be boxed, too.",
                cells: nearly(stack_peers::by_hand_service),
            },
            Column {
                name: "tower-resilience",
                note: "its four layers, with a bulkhead that rejects and without a budget, as by default. Each has \
                     an error type of its own around that of the next. A full bulkhead is a failure of the circuit, \
                     unless it is told otherwise; and so is an open circuit to the retry, which here is told.",
                cells: both(stack_peers::tower_resilience),
            },
        ],
        floors: vec![
            vec![("floors stacked", passes(runtime, floors()))],
            vec![("arc + count + clock, clock", rejects(runtime, refusing(), |error| error.rejected().is_some()))],
        ],
        targets: vec![
            target(0, "seaworthy, typed", HAND, 0.5),
            target(0, "seaworthy, run, typed, no budget", HAND, 0.5),
            target(0, "seaworthy, typed, no budget", "the same, a service", 0.5),
            target(1, "seaworthy, typed", HAND, 0.25),
            target(1, "seaworthy, run, typed, no budget", HAND, 0.25),
            target(1, "seaworthy, typed, no budget", "the same, a service", 0.25),
            target(0, "seaworthy", "tower-resilience", 0.5),
            target(1, "seaworthy", "tower-resilience", 0.25),
        ],
    }
}

/// Where the handles are stored, and whether retries have a budget.
#[derive(Clone, Copy)]
struct Kind {
    leaked: bool,
    budget: bool,
}

fn circuit(open: bool) -> CircuitBreaker {
    let circuit = CircuitBreaker::builder("bench").consecutive_failures(Rule::FAILURES).open_for(OPEN_FOR);
    let circuit = circuit.build().expect("the settings are valid");
    for _ in 0..if open { Rule::FAILURES } else { 0 } {
        circuit.admit().expect("not open yet").settle(Verdict::Failure);
    }
    circuit
}

fn slots() -> Bulkhead {
    Bulkhead::builder("bench").limit(ROOM).build().expect("the settings are valid")
}

fn retry(budget: bool) -> RetryPolicy {
    let builder = RetryPolicy::builder("bench").attempts(TRIES);
    let builder = if budget { builder } else { builder.no_budget() };
    builder.build().expect("the settings are valid")
}

fn timeout() -> Timeout {
    Timeout::new(LIMIT)
}

fn layers<E>(runtime: &'static Runtime, open: bool, kind: Kind) -> Box<dyn Bench>
where
    E: StackError + From<Failure> + Display + Debug + 'static,
{
    let (circuit, slots) = (circuit(open), slots());
    let (circuit, slots) = if kind.leaked { (circuit.leak(), slots.leak()) } else { (circuit, slots) };
    let service = ServiceBuilder::new()
        .layer(retry(kind.budget).layer())
        .layer(circuit.layer())
        .layer(slots.layer())
        .layer(timeout().layer())
        .service(AtOnce::<E>::new());
    if open { rejects(runtime, service, |error| is_open(error)) } else { passes(runtime, service) }
}

fn run(runtime: &'static Runtime, open: bool) -> Box<dyn Bench> {
    let (retry, circuit, slots, timeout) = (retry(false), circuit(open), slots(), timeout());
    let mut inner = AtOnce::<Typed>::new();
    bench(runtime, move || {
        let attempt = || circuit.run(slots.run(timeout.run(inner.call(black_box(REQUEST)))));
        let answer = finish(retry.run(attempt));
        if open { answer.is_err_and(|error| is_open(&error)) } else { passed(&answer) }
    })
}

fn is_open(error: &impl StackError) -> bool {
    matches!(error.rejected(), Some(Rejected::CircuitOpen { .. }))
}

/// The retry's floor reads the clock and counts, the circuit breaker's reads its state, the bulkhead's counts, and the
/// timeout's only passes calls on. None keeps a copy of the request or of the service, as a retry has to.
fn floors() -> impl Service<u64, Response = u64, Error = Typed> {
    let timeout = Floor::leaked(AtOnce::<Typed>::new(), Work::Nothing);
    let circuit = Floor::shared(Floor::shared(timeout, Work::Count), Work::Nothing);
    Floor::shared(circuit, Work::CountAndClock)
}

fn refusing() -> impl Service<u64, Response = u64, Error = Typed> {
    Floor::shared(Refuse::new("bench"), Work::CountAndClock)
}
