//! Bulkheads: with room, and full.

use std::fmt::Debug;
use std::future::ready as at_once;
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Waker};

use seaworthy::{BoxError, Bulkhead, Error, StackError};
use tokio::runtime::Runtime;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower_layer::Layer;
use tower_resilience_bulkhead::{BulkheadConfigBuilder, BulkheadError, BulkheadLayer, BulkheadServiceError};
use tower_service::Service;

use super::bulkhead_floor::{Count, Counters, Reject};
use super::call::{Cloned, REQUEST, bench, exact, finish, nearest, passed, passes, ready, rejects, runtime};
use super::inner::{AtOnce, Late, answer};
use super::{Cell, Column, Pattern, Target};
use crate::Failure;
use crate::bench::Bench;

/// Calls at a time, in the rows with room.
const ROOM: u32 = 10;

pub(super) fn pattern() -> Pattern {
    let runtime = runtime();
    let target = |row, ours, theirs, at_most| Target { row, ours, theirs, at_most };
    Pattern {
        rows: &["with room", "full, rejected", "with room, a clone a call", "full, rejected, a clone a call"],
        columns: vec![
            Column {
                name: "seaworthy",
                note: "a tower service that rejects while full; errors are `BoxError`, so a rejection is boxed.",
                cells: ours::<BoxError>(runtime, |slots| slots),
            },
            Column {
                name: "seaworthy, typed",
                note: "the same with `Error<E>`: a rejection is not boxed.",
                cells: ours::<Error<Failure>>(runtime, |slots| slots),
            },
            Column {
                name: "seaworthy, leaked",
                note: "the same with `Error<E>` and a bulkhead that is never freed: no reference count.",
                cells: ours::<Error<Failure>>(runtime, Bulkhead::leak),
            },
            Column {
                name: "seaworthy, run",
                note: "`Bulkhead::run`, which borrows the bulkhead, around a future with `Error<E>`; there is no \
                     service to clone.",
                cells: vec![exact(run(runtime)), exact(run_full(runtime)), Cell::Nothing, Cell::Nothing],
            },
            Column {
                name: "tower ConcurrencyLimit",
                note: "not ready while full, and rejects nothing. A permit is taken in `poll_ready`, and held by a \
                     service that is ready and idle.",
                cells: vec![
                    exact(passes(runtime, tower(ROOM))),
                    Cell::Nothing,
                    exact(passes(runtime, Cloned(tower(ROOM)))),
                    Cell::Nothing,
                ],
            },
            Column {
                name: "tower LoadShed around it",
                note: "rejects while full; errors are boxed, and a rejection has no name and no reason. While it is full, \
                     each service waits in a queue from its first call on: one that is kept has done that, and the \
                     clone for a call does it again.",
                cells: vec![
                    exact(passes(runtime, LoadShed::new(tower(ROOM)))),
                    exact(rejects(runtime, shed(full_tower()), is_overload)),
                    exact(passes(runtime, Cloned(LoadShed::new(tower(ROOM))))),
                    exact(rejects(runtime, Cloned(shed(full_tower())), is_overload)),
                ],
            },
            Column {
                name: "tower-resilience",
                note: "with `reject_when_full`, which is a timeout of zero: a call that is rejected first waits for \
                     the runtime's timer, whose steps are a millisecond long, and here has the runtime to itself. It \
                     needs tokio's timers, and boxes its future.",
                cells: vec![
                    exact(passes(runtime, theirs(ROOM, BulkheadConfigBuilder::reject_when_full))),
                    exact(theirs_full(runtime)),
                    exact(passes(runtime, Cloned(theirs(ROOM, BulkheadConfigBuilder::reject_when_full)))),
                    exact(theirs_full(runtime)),
                ],
            },
            Column {
                name: "tower-resilience, backpressure",
                note: "with `backpressure`, which is not ready while full; ≈ tower's `LoadShed` around it.",
                cells: vec![
                    exact(passes(runtime, theirs(ROOM, BulkheadConfigBuilder::backpressure))),
                    nearest(rejects(runtime, shed(theirs_taken()), is_overload)),
                    exact(passes(runtime, Cloned(theirs(ROOM, BulkheadConfigBuilder::backpressure)))),
                    nearest(rejects(runtime, Cloned(shed(theirs_taken())), is_overload)),
                ],
            },
        ],
        floors: vec![
            vec![
                ("arc + add + sub", passes(runtime, counting(Arc::<Counters>::default()))),
                ("static + add + sub", passes(runtime, counting::<&Counters>(Box::leak(Box::default())))),
            ],
            vec![("reject", floor_full(runtime))],
            vec![("arc + add + sub", passes(runtime, Cloned(counting(Arc::<Counters>::default()))))],
            vec![],
        ],
        targets: vec![
            target(0, "seaworthy", "tower ConcurrencyLimit", 0.6),
            target(0, "seaworthy, typed", "tower ConcurrencyLimit", 0.6),
            target(1, "seaworthy", "tower LoadShed around it", 0.125),
            target(1, "seaworthy, typed", "tower LoadShed around it", 0.125),
            target(3, "seaworthy", "tower LoadShed around it", 0.125),
            target(3, "seaworthy, typed", "tower LoadShed around it", 0.125),
        ],
    }
}

fn counting<H>(counters: H) -> Count<AtOnce, H, false> {
    Count(AtOnce::new(), counters)
}

fn floor_full(runtime: &'static Runtime) -> Box<dyn Bench> {
    let inner = AtOnce::<Error<Failure>>::new();
    let floor = Reject { inner, counters: Arc::default(), name: "bench".into() };
    rejects(runtime, floor, |error| error.rejected().is_some())
}

fn slots(limit: u32) -> Bulkhead {
    Bulkhead::builder("bench").limit(limit).build().expect("the settings are valid")
}

/// With room, and with its only permit taken for good.
fn ours<E>(runtime: &'static Runtime, keep: fn(Bulkhead) -> Bulkhead) -> Vec<Cell>
where
    E: StackError + From<Failure> + Debug + 'static,
{
    let room = || keep(slots(ROOM)).layer().layer(AtOnce::<E>::new());
    let full = || {
        let slots = keep(slots(1));
        std::mem::forget(slots.try_acquire());
        slots.layer().layer(AtOnce::<E>::new())
    };
    let is_rejection = |error: &E| error.rejected().is_some();
    vec![
        exact(passes(runtime, room())),
        exact(rejects(runtime, full(), is_rejection)),
        exact(passes(runtime, Cloned(room()))),
        exact(rejects(runtime, Cloned(full()), is_rejection)),
    ]
}

fn run(runtime: &'static Runtime) -> Box<dyn Bench> {
    let slots = slots(ROOM);
    bench(runtime, move || passed(&run_one(&slots)))
}

fn run_full(runtime: &'static Runtime) -> Box<dyn Bench> {
    let slots = slots(1);
    std::mem::forget(slots.try_acquire());
    bench(runtime, move || matches!(run_one(&slots), Err(Error::Rejected(_))))
}

#[inline]
fn run_one(slots: &Bulkhead) -> Result<u64, Error<Failure>> {
    let request = black_box(REQUEST);
    finish(slots.run(at_once(answer(request))))
}

fn tower(limit: u32) -> ConcurrencyLimit<AtOnce> {
    ConcurrencyLimit::new(AtOnce::new(), limit as usize)
}

/// A clone that is ready holds the only permit, for good.
fn full_tower() -> ConcurrencyLimit<AtOnce> {
    holding(tower(1))
}

fn theirs_taken() -> Theirs<AtOnce> {
    holding(theirs(1, BulkheadConfigBuilder::backpressure))
}

fn holding<S: Service<u64> + Clone>(service: S) -> S {
    let mut holder = service.clone();
    assert!(ready(&mut holder).is_ok());
    std::mem::forget(holder);
    service
}

fn shed<S>(service: S) -> LoadShed<S> {
    LoadShed::new(service)
}

fn is_overload(error: &BoxError) -> bool {
    error.is::<Overloaded>()
}

type Theirs<S> = tower_resilience_bulkhead::Bulkhead<S>;
type Mode = fn(BulkheadConfigBuilder) -> BulkheadConfigBuilder;

fn theirs(limit: u32, mode: Mode) -> Theirs<AtOnce> {
    layer(limit, mode).layer(AtOnce::new())
}

fn layer(limit: u32, mode: Mode) -> BulkheadLayer {
    let builder = mode(BulkheadLayer::builder().max_concurrent_calls(limit as usize));
    builder.build().expect("the settings are valid")
}

/// A call that never finishes has taken the only permit.
fn theirs_full(runtime: &'static Runtime) -> Box<dyn Bench> {
    let mut service = layer(1, BulkheadConfigBuilder::reject_when_full).layer(Late::<BoxError>::new());
    {
        let _entered = runtime.enter();
        let mut holder = service.clone().call(REQUEST);
        assert!(holder.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        std::mem::forget(holder);
    }
    bench(runtime, move || {
        assert!(ready::<_, u64>(&mut service).is_ok());
        let answer = runtime.block_on(service.call(black_box(REQUEST)));
        matches!(answer, Err(BulkheadServiceError::Bulkhead(BulkheadError::Timeout)))
    })
}
