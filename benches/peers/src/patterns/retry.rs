//! Retries: of a call that succeeds at once, and of one that fails twice first.

use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use seaworthy::{Backoff, BoxError, RetryBudget, RetryPolicy};
use tokio::runtime::Runtime;
use tower::retry::budget::{Budget, TpsBudget};
use tower_layer::Layer;
use tower_resilience_retry::{RetryBudgetBuilder, RetryLayer};
use tower_service::Service;

use super::call::{REQUEST, bench, exact, finish, nearest, passed, passes, runtime};
use super::inner::Flaky;
use super::retry_floor::Floor;
use super::{Cell, Column, Pattern, Target};
use crate::bench::Bench;

/// Attempts of a call, the first included.
const TRIES: u32 = 3;

/// The parameters of a row: the attempt that succeeds, and whether there is a budget, which never runs out.
type Row = (u64, bool);
const ROWS: [Row; 4] = [(1, true), (1, false), (3, true), (3, false)];

pub(super) fn pattern() -> Pattern {
    let runtime = runtime();
    let target = |row| Target { row, ours: "seaworthy", theirs: "tower", at_most: 1.2 };
    Pattern {
        rows: &["first try, budget", "first try, no budget", "three tries, budget", "three tries, no budget"],
        columns: vec![
            column("seaworthy", "a tower service.", |row| {
                exact(passes(runtime, ours(row).layer().layer(Flaky::<BoxError>::new(row.0))))
            }),
            column("seaworthy, run", "`RetryPolicy::run`, which borrows the policy, around a closure.", |row| {
                exact(run(runtime, row))
            }),
            column(
                "tower",
                "`tower::retry`, which is a mechanism: what is retried, how often, and after which wait is a policy \
                 that the user writes; here the one of its documentation, without a wait.",
                |row| {
                    exact(passes(
                        runtime,
                        tower::retry::RetryLayer::new(Tower::new(row)).layer(Flaky::<BoxError>::new(row.0)),
                    ))
                },
            ),
            column(
                "tower-resilience",
                "boxes its future. A wait of zero is tokio's `sleep` all the same, to the next step of its timer: the \
                 two waits of three tries take a millisecond or two, with the runtime to itself.",
                |row| exact(theirs(runtime, row)),
            ),
            column(
                "backon",
                "wraps a closure, which borrows the client. No budget; ≈ the sleeper is one that does not wait, in \
                 place of tokio's, which would as above.",
                |row| if row.1 { Cell::Nothing } else { with_backon(runtime, row) },
            ),
        ],
        floors: ROWS.map(|row| vec![("arc", passes(runtime, floor(row)))]).into(),
        targets: (0..ROWS.len()).map(target).collect(),
    }
}

fn column(name: &'static str, note: &'static str, cell: impl Fn(Row) -> Cell) -> Column {
    Column { name, note, cells: ROWS.map(cell).into() }
}

fn floor((tries, budget): Row) -> Floor<Flaky> {
    Floor::new(Flaky::new(tries), budget)
}

fn ours((_, budget): Row) -> RetryPolicy {
    let builder = RetryPolicy::builder("bench").attempts(TRIES).backoff(Backoff::constant(Duration::ZERO));
    let plenty = RetryBudget::builder().ratio(1.0).floor(u32::MAX).refill_per_second(u32::MAX).build();
    let plenty = plenty.expect("the settings are valid");
    let builder = if budget { builder.budget(plenty) } else { builder.no_budget() };
    builder.build().expect("the settings are valid")
}

fn run(runtime: &'static Runtime, row: Row) -> Box<dyn Bench> {
    let (policy, mut inner) = (ours(row), Flaky::<BoxError>::new(row.0));
    bench(runtime, move || passed(&finish(policy.run(|| inner.call(black_box(REQUEST))))))
}

/// As the documentation of `tower::retry::Policy` and of `tower::retry::budget` shows it.
#[derive(Clone)]
struct Tower {
    left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl Tower {
    fn new((_, budget): Row) -> Self {
        let plenty = || Arc::new(TpsBudget::new(Duration::from_secs(10), i32::MAX as u32 - 1, 1.0));
        Self { left: TRIES - 1, budget: budget.then(plenty) }
    }
}

impl<E> tower::retry::Policy<u64, u64, E> for Tower {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, E>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                if let Some(budget) = &self.budget {
                    budget.deposit();
                }
                None
            }
            Err(_) => {
                let paid = self.budget.as_ref().is_none_or(|budget| budget.withdraw());
                if !paid || self.left == 0 {
                    return None;
                }
                self.left -= 1;
                Some(ready(()))
            }
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

fn theirs(runtime: &'static Runtime, (tries, budget): Row) -> Box<dyn Bench> {
    let builder = RetryLayer::<u64, u64, BoxError>::builder();
    let builder = builder.max_attempts(TRIES as usize).fixed_backoff(Duration::ZERO);
    let plenty = || {
        let bucket = RetryBudgetBuilder::new().token_bucket().tokens_per_second(1e9).max_tokens(1_000_000_000);
        bucket.initial_tokens(1_000_000_000).build().expect("the settings are valid")
    };
    let builder = if budget { builder.budget(plenty()) } else { builder };
    let mut service = builder.build().layer(Flaky::new(tries));
    if tries == 1 {
        return passes(runtime, service);
    }
    bench(runtime, move || {
        assert!(super::call::ready::<_, u64>(&mut service).is_ok());
        passed(&runtime.block_on(service.call(black_box(REQUEST))))
    })
}

fn with_backon(runtime: &'static Runtime, (tries, _): Row) -> Cell {
    let backoff = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(TRIES as usize - 1);
    let mut inner = Flaky::<BoxError>::new(tries);
    let bench = bench(runtime, move || {
        let attempt = || inner.call(black_box(REQUEST));
        passed(&finish(attempt.retry(backoff).sleep(|_| ready(()))))
    });
    if tries == 1 { exact(bench) } else { nearest(bench) }
}
