use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use seaworthy::{Context, Deadline};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_eq};

use super::MS;
use crate::support::now;

/// DL-01: a moment of the monotonic clock, passed at exactly that moment, and never negative.
#[tokio::test(start_paused = true)]
async fn dl_01_a_moment() {
    let deadline = Deadline::within(10 * MS);
    assert_eq!(deadline, Deadline::at(now() + 10 * MS));
    assert!(deadline < Deadline::within(11 * MS) && deadline < Deadline::NEVER);
    assert_eq!((deadline.remaining(), deadline.has_passed()), (10 * MS, false));
    advance(10 * MS - Duration::from_nanos(1)).await;
    assert_eq!((deadline.remaining(), deadline.has_passed()), (Duration::from_nanos(1), false));
    advance(Duration::from_nanos(1)).await;
    assert_eq!((deadline.remaining(), deadline.has_passed()), (Duration::ZERO, true));
    advance(Duration::from_secs(365 * 24 * 3600)).await;
    assert_eq!((deadline.remaining(), deadline.has_passed()), (Duration::ZERO, true));
    assert!(Deadline::within(Duration::ZERO).has_passed());
    for never in [Deadline::NEVER, Deadline::within(Duration::MAX)] {
        assert_eq!((never, never.has_passed(), never.remaining()), (Deadline::NEVER, false, Duration::MAX));
    }
    assert!(Deadline::at(now() - Duration::from_nanos(1)).has_passed());
}

/// DL-02: current inside a scope and nowhere else; of two that are nested the earlier one holds.
#[tokio::test(start_paused = true)]
async fn dl_02_the_earlier_of_two_scopes_holds() {
    let (early, late) = (Deadline::within(MS), Deadline::within(2 * MS));
    let seen = || async { Deadline::current() };
    assert_eq!(Deadline::current(), None);
    assert_eq!(early.scope(seen()).await, Some(early));
    assert_eq!(early.scope(late.scope(seen())).await, Some(early));
    assert_eq!(late.scope(early.scope(seen())).await, Some(early));
    let after = late.scope(async { (early.scope(seen()).await, Deadline::current()) }).await;
    assert_eq!(after, (Some(early), Some(late)));
    assert_eq!(Deadline::NEVER.scope(seen()).await, None);
    assert_eq!(early.scope(Deadline::NEVER.scope(seen())).await, Some(early));
    assert_eq!(Deadline::current(), None);
}

/// DL-02: cleanup runs without a deadline, in which another one may be set.
#[tokio::test(start_paused = true)]
async fn dl_02_a_shield() {
    let (early, late) = (Deadline::within(MS), Deadline::within(2 * MS));
    let inside = async { (Deadline::current(), late.scope(ready(())).await, Deadline::current()) };
    let (none, (), none_again) = early.scope(Deadline::shielded(inside)).await;
    assert_eq!((none, none_again), (None, None));
    let nested = early.scope(Deadline::shielded(late.scope(async { Deadline::current() })));
    assert_eq!(nested.await, Some(late));
}

/// Notes the deadline that is current when it is dropped.
struct OnDrop<'a>(&'a std::cell::Cell<Option<Deadline>>);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.set(Deadline::current());
    }
}

/// current while the inner future is polled and while it is dropped, and not in between; DL-19: dropping the
/// future leaves the scope at once.
#[tokio::test(start_paused = true)]
async fn x_05_polled_and_dropped() {
    let (deadline, at_drop) = (Deadline::within(MS), std::cell::Cell::new(None));
    let inner = async {
        let _on_drop = OnDrop(&at_drop);
        pending::<()>().await;
    };
    let mut future = spawn(deadline.scope(inner));
    assert_pending!(future.poll());
    assert_eq!((Deadline::current(), at_drop.get()), (None, None));
    drop(future);
    assert_eq!((Deadline::current(), at_drop.get()), (None, Some(deadline)));
}

/// a panic restores what was there before.
#[tokio::test(start_paused = true)]
async fn x_05_a_panic_leaves_the_scope() {
    let (outer, inner) = (Deadline::within(2 * MS), Deadline::within(MS));
    let panics = inner.scope(poll_fn(|_| -> Poll<()> { panic!("as planned") }));
    let mut panics = Box::pin(panics);
    outer
        .scope(async {
            let caught = catch_unwind(AssertUnwindSafe(|| spawn(panics.as_mut()).poll()));
            assert!(caught.is_err());
            assert_eq!(Deadline::current(), Some(outer));
        })
        .await;
    assert_eq!(Deadline::current(), None);
}

/// a spawned task has no deadline, unless the context is taken along; there it narrows, too.
#[tokio::test(start_paused = true)]
async fn x_06_taken_along_to_another_task() {
    let deadline = Deadline::within(MS);
    let (without, with, narrowed) = deadline
        .scope(async {
            let context = Context::current();
            assert_eq!(context.deadline(), Some(deadline));
            let see = async || Deadline::current();
            let earlier = context.with_deadline(Deadline::within(Duration::ZERO));
            (
                tokio::spawn(see()).await.unwrap(),
                tokio::spawn(context.scope(see())).await.unwrap(),
                tokio::spawn(earlier.scope(context.scope(see()))).await.unwrap(),
            )
        })
        .await;
    assert_eq!((without, with), (None, Some(deadline)));
    assert!(narrowed.is_some_and(Deadline::has_passed));
    assert_eq!(Context::current().deadline(), None);
}

/// DL-02: what is not polled inside is not affected; polled again after the end, it panics as any future.
#[tokio::test(start_paused = true)]
async fn dl_02_nothing_else_is_touched() {
    let deadline = Deadline::within(MS);
    let mut other = spawn(async { Deadline::current() });
    let mut future = spawn(deadline.scope(poll_fn(|_| Poll::Ready(Deadline::current()))));
    assert_eq!(assert_ready!(future.poll()), Some(deadline));
    assert_ready_eq!(other.poll(), None);
}
