use std::cell::Cell;

use seaworthy::observe::RetryEvent;
use seaworthy::{Backoff, BoxError, Deadline, Event, Jitter, RetryBudget, RetryPolicy};
use tokio::time::{Duration, Instant};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::MS;
use crate::support::now;

fn waits(time: Duration) -> Backoff {
    Backoff::constant(time).jitter(Jitter::None)
}

/// Fails each time; returns how many attempts there were, and when they ended.
async fn attempts(policy: &RetryPolicy) -> (u32, Duration) {
    let (start, made) = (now(), Cell::new(0));
    let attempt = || {
        made.set(made.get() + 1);
        let number = made.get();
        async move { Err::<(), BoxError>(format!("attempt {number}").into()) }
    };
    let error = policy.run(attempt).await.unwrap_err();
    assert_eq!(error.to_string(), format!("attempt {}", made.get()), "it is the last result");
    (made.get(), Instant::elapsed(&start))
}

/// DL-06: no attempt begins, and no wait ends, at or after the deadline; no token is spent on one.
#[tokio::test(start_paused = true)]
async fn dl_06_the_last_result_at_once() {
    let budget = RetryBudget::default();
    let policy = RetryPolicy::builder("r").attempts(9).backoff(waits(3 * MS)).budget(budget.clone()).build().unwrap();
    let full = budget.balance();
    assert_eq!(Deadline::within(3 * MS).scope(attempts(&policy)).await, (1, Duration::ZERO));
    assert_eq!(budget.balance(), full);
    let deadline = Deadline::within(3 * MS + Duration::from_nanos(1));
    assert_eq!(deadline.scope(attempts(&policy)).await, (2, 3 * MS));
    assert!(budget.balance() < full);
    assert_eq!(Deadline::within(10 * MS).scope(attempts(&policy)).await, (4, 9 * MS));
    assert_eq!(Deadline::within(Duration::ZERO).scope(attempts(&policy)).await, (1, Duration::ZERO));
}

/// DL-06: without a wait, too; and without a deadline nothing is different.
#[tokio::test(start_paused = true)]
async fn dl_06_without_a_wait() {
    let policy = RetryPolicy::builder("r").attempts(4).backoff(waits(Duration::ZERO)).no_budget().build().unwrap();
    assert_eq!(Deadline::within(Duration::ZERO).scope(attempts(&policy)).await, (1, Duration::ZERO));
    assert_eq!(Deadline::within(MS).scope(attempts(&policy)).await, (4, Duration::ZERO));
    assert_eq!(attempts(&policy).await.0, 4);
}

/// DL-06: the policy's own deadline and that of the call: the earlier holds.
#[tokio::test(start_paused = true)]
async fn dl_06_the_earlier_of_both() {
    let builder = RetryPolicy::builder("r").attempts(99).backoff(waits(3 * MS)).no_budget();
    let policy = builder.deadline(10 * MS).build().unwrap();
    assert_eq!(attempts(&policy).await, (4, 9 * MS));
    assert_eq!(Deadline::within(7 * MS).scope(attempts(&policy)).await, (3, 6 * MS));
    assert_eq!(Deadline::within(70 * MS).scope(attempts(&policy)).await, (4, 9 * MS));
}

/// DL-06: the layer stops for the same reason, which is told.
#[tokio::test(start_paused = true)]
async fn dl_06_a_layer() {
    let (told, seen) = std::sync::mpsc::channel();
    let policy = RetryPolicy::builder("r")
        .attempts(9)
        .backoff(waits(3 * MS))
        .observer(move |event: &Event<'_>| {
            if let Event::Retry(RetryEvent::Stopped { reason, attempts, .. }) = event {
                told.send(format!("{reason} after {attempts}")).unwrap();
            }
        })
        .build()
        .unwrap();
    let service =
        ServiceBuilder::new().layer(policy.layer()).service(service_fn(async |()| Err::<(), BoxError>("down".into())));
    Deadline::within(4 * MS).scope(service.oneshot(())).await.unwrap_err();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["deadline reached after 2"]);
}
