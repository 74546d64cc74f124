//! What the tables of the other patterns rely on, and what their notes say about other crates. A test of a note that
//! fails is good news for that crate, and the note must go.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use seaworthy::{Backoff, BoxError, RetryPolicy};
use seaworthy_peers::{Cell, Failure, PATTERNS};
use tokio::runtime::{Builder, Runtime};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_layer::Layer;
use tower_resilience_bulkhead::BulkheadLayer;
use tower_resilience_retry::RetryLayer;
use tower_service::Service;

/// Each cell checks that its calls end as the row says.
#[test]
fn every_cell_measures_what_its_row_says() {
    for (name, pattern) in PATTERNS {
        let pattern = pattern();
        assert_eq!(pattern.floors.len(), pattern.rows.len(), "{name}");
        for target in &pattern.targets {
            let known = |name| pattern.columns.iter().any(|column| column.name == name);
            assert!(target.row < pattern.rows.len() && known(target.ours) && known(target.theirs), "{name}");
        }
        for column in pattern.columns {
            assert_eq!(column.cells.len(), pattern.rows.len(), "{name}: {}", column.name);
            for mut bench in column.cells.into_iter().filter_map(Cell::bench) {
                bench.time(3);
            }
        }
        for (_, mut floor) in pattern.floors.into_iter().flatten() {
            floor.time(3);
        }
    }
}

/// The rows for which a crate has nothing, so that none is lost by accident.
#[test]
fn what_is_missing_is_known() {
    let missing = |cells: &[Cell]| cells.iter().filter(|cell| matches!(cell, Cell::Nothing)).count();
    for (pattern, build) in PATTERNS {
        for column in build().columns {
            let expected = match (pattern, column.name) {
                ("bulkhead", "tower ConcurrencyLimit" | "seaworthy, run") => 2,
                ("retry", "backon") => 2,
                _ => 0,
            };
            assert_eq!(missing(&column.cells), expected, "{pattern}: {}", column.name);
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("threads can be parked here")
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Answers when it is asked to, and hangs otherwise.
#[derive(Clone)]
struct Gate;

impl Service<bool> for Gate {
    type Response = ();
    type Error = Failure;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, answers: bool) -> Self::Future {
        if answers { Box::pin(async { Ok(()) }) } else { Box::pin(std::future::pending()) }
    }
}

/// The only permit is taken, and the call that should be rejected at once is still pending after its first poll.
#[test]
fn a_rejection_of_tower_resilience_waits_for_a_timer() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let layer = BulkheadLayer::builder().max_concurrent_calls(1).reject_when_full().build().expect("valid");
    let mut service = layer.layer(Gate);
    let mut holder = service.clone().call(false);
    assert!(holder.as_mut().poll(&mut context()).is_pending());
    assert!(service.poll_ready(&mut context()).is_ready());
    let mut rejected = service.call(true);
    assert!(rejected.as_mut().poll(&mut context()).is_pending());
    assert!(runtime.block_on(rejected).is_err());
}

/// The idle service makes no call, and no other is let in.
#[test]
fn a_ready_and_idle_service_of_tower_holds_a_permit() {
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let (mut idle, mut other) = (limit.layer(Gate), limit.layer(Gate));
    assert!(idle.poll_ready(&mut context()).is_ready());
    assert!(other.poll_ready(&mut context()).is_pending());
}

/// A service that always fails.
#[derive(Clone)]
struct Down;

impl Service<u64> for Down {
    type Response = u64;
    type Error = BoxError;
    type Future = std::future::Ready<Result<u64, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> Self::Future {
        std::future::ready(Err(Failure.into()))
    }
}

/// A wait of zero between two attempts: ours has made both at its first poll, the others have not.
#[test]
fn tower_resilience_and_backon_wait_for_a_timer_where_the_wait_is_zero() {
    let runtime = runtime();
    let _entered = runtime.enter();

    let policy = RetryPolicy::builder("bench").backoff(Backoff::constant(Duration::ZERO)).build().expect("valid");
    let mut ours = policy.layer().layer(Down);
    assert!(ours.poll_ready(&mut context()).is_ready());
    assert!(pin!(ours.call(7)).poll(&mut context()).is_ready());

    let builder = RetryLayer::<u64, u64, BoxError>::builder().max_attempts(2).fixed_backoff(Duration::ZERO);
    let mut theirs = builder.build().layer(Down);
    assert!(theirs.poll_ready(&mut context()).is_ready());
    assert!(pin!(theirs.call(7)).poll(&mut context()).is_pending());

    let once = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(1);
    let backon = (|| async { Err::<(), _>(Failure) }).retry(once);
    assert!(pin!(backon).poll(&mut context()).is_pending());
}
