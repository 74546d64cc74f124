//! TR-01: what a policy makes of the deadlines of its calls, from code and from data.

use std::cell::Cell;
use std::time::Duration;

use seaworthy::{BoxError, Deadline, DeadlineStage, OnDeadline, Policy, Rejected, StackError};
use tokio_test::assert_pending;
use tokio_test::task::spawn;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{MS, SECOND, advance};

/// What the backend sees of a call through the policy as a layer, as one that never retries, and as `run`; none where
/// it was rejected on arrival, and the backend was not called.
async fn seen(policy: &Policy) -> [Option<Option<Duration>>; 3] {
    let calls = Cell::new(0);
    let see = || {
        calls.set(calls.get() + 1);
        let in_call = Deadline::current();
        async move {
            tokio::task::yield_now().await;
            assert_eq!(Deadline::current(), in_call);
            Ok::<_, BoxError>(in_call.map(Deadline::remaining))
        }
    };
    let service = service_fn(|()| see());
    let results = [
        policy.layer().layer(service).oneshot(()).await,
        policy.layer().without_retry().layer(service).oneshot(()).await,
        policy.run(see).await,
    ];
    let seen = results.map(|result| match result {
        Ok(left) => Some(left),
        Err(error) => {
            let rejected = error.rejected();
            assert!(
                matches!(rejected, Some(Rejected::DeadlineExceeded { stage: DeadlineStage::Arrival, .. })),
                "{error}"
            );
            None
        }
    });
    assert_eq!(calls.get(), seen.iter().flatten().count());
    seen
}

#[cfg(feature = "serde")]
fn policies(deadline: &str) -> [Policy; 2] {
    let parts = ["", "circuit_breaker = {}\nbulkhead = {}\nretry = {}\ntimeout = \"1h\"\ntotal_timeout = \"2h\""];
    parts.map(|parts| {
        let text = format!("[a]\ndeadline = {deadline}\n{parts}");
        toml::from_str::<seaworthy::Policies>(&text).unwrap().get("a").unwrap().clone()
    })
}

/// TR-01: `default` is the time of a call without a deadline, and nothing to one that has one.
#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn tr_01_default() {
    for policy in policies("{ default = \"5s\" }") {
        assert_eq!(seen(&policy).await, [Some(Some(5 * SECOND)); 3]);
        for time in [2 * SECOND, 9 * SECOND] {
            assert_eq!(Deadline::within(time).scope(seen(&policy)).await, [Some(Some(time)); 3]);
        }
    }
}

/// TR-01: `max` caps the deadline of a call, and gives none to one without.
#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn tr_01_max() {
    for policy in policies("{ max = \"5s\" }") {
        assert_eq!(seen(&policy).await, [Some(None); 3]);
        assert_eq!(Deadline::within(2 * SECOND).scope(seen(&policy)).await, [Some(Some(2 * SECOND)); 3]);
        assert_eq!(Deadline::within(9 * SECOND).scope(seen(&policy)).await, [Some(Some(5 * SECOND)); 3]);
    }
}

/// TR-01: `least` rejects on arrival what has strictly less left.
#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn tr_01_least() {
    for policy in policies("{ least = \"2ms\" }") {
        assert_eq!(seen(&policy).await, [Some(None); 3]);
        assert_eq!(Deadline::within(2 * MS).scope(seen(&policy)).await, [Some(Some(2 * MS)); 3]);
        for time in [Duration::ZERO, 2 * MS - Duration::from_nanos(1)] {
            assert_eq!(Deadline::within(time).scope(seen(&policy)).await, [None; 3]);
        }
    }
    let [without, _] = policies("{ max = \"5s\" }");
    assert_eq!(Deadline::within(MS).scope(seen(&without)).await, [Some(Some(MS)); 3]);
}

/// TR-01: a deadline that the policy gave ends the call, retries and all, and one that is dropped after it counts by
/// `on_deadline`.
#[tokio::test(start_paused = true)]
async fn tr_01_it_ends_the_call() {
    let policy = || {
        let builder = Policy::builder("a").default_deadline(10 * MS);
        builder.circuit_breaker(|it| it.consecutive_failures(1).on_deadline(OnDeadline::Failure)).build().unwrap()
    };
    let hangs = || std::future::pending::<Result<(), BoxError>>();
    let service = service_fn(move |()| hangs());
    for way in 0..3 {
        for dropped in [false, true] {
            let policy = policy();
            let mut call = spawn(async {
                match way {
                    0 => policy.layer().layer(service).oneshot(()).await,
                    1 => policy.layer().without_retry().layer(service).oneshot(()).await,
                    _ => policy.run(hangs).await,
                }
            });
            assert_pending!(call.poll());
            assert_eq!(Deadline::current(), None);
            advance(10 * MS).await;
            if dropped {
                drop(call);
            } else {
                let error = call.await.unwrap_err();
                let stage = DeadlineStage::Attempt;
                assert!(matches!(error.rejected(), Some(Rejected::DeadlineExceeded { stage: is, .. }) if *is == stage));
            }
            let state = policy.circuit_breaker().unwrap().state();
            assert_eq!(state, seaworthy::State::Open, "{way} {dropped}");
        }
    }
}

/// TR-01: bad settings are refused, from code and from data, with the path of the key.
#[cfg(feature = "serde")]
#[test]
fn tr_01_bad_settings() {
    let builder = || Policy::builder("a");
    for (builder, expected) in [
        (builder().default_deadline(Duration::ZERO), "deadline.default: must be longer than zero"),
        (builder().max_deadline(Duration::ZERO), "deadline.max: must be longer than zero"),
        (builder().least_remaining(Duration::ZERO), "deadline.least: must be longer than zero"),
        (builder().default_deadline(2 * MS).max_deadline(MS), "deadline.default: must not be above `max`"),
        (builder().least_remaining(2 * MS).max_deadline(MS), "deadline.least: must not be above `max`"),
        (builder().least_remaining(2 * MS).default_deadline(MS), "deadline.least: must not be above `default`"),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), expected);
    }
    for (deadline, expected) in [
        ("{ default = \"0s\" }", "a.deadline.default: must be longer than zero"),
        ("{ max = \"0s\" }", "a.deadline.max: must be longer than zero"),
        ("{ least = \"0s\" }", "a.deadline.least: must be longer than zero"),
        ("{ default = \"2s\", max = \"1s\" }", "a.deadline.default: must not be above `max`"),
        ("{ least = \"2s\", max = \"1s\" }", "a.deadline.least: must not be above `max`"),
        ("{ least = \"2s\", default = \"1s\" }", "a.deadline.least: must not be above `default`"),
        ("{}", "a.deadline.default: or `max` or `least` has to be set"),
        ("{ default = 5 }", "integer `5`, expected a duration in text for a.deadline.default"),
        ("{ least = true }", "boolean `true`, expected a duration in text for a.deadline.least"),
        ("\"5s\"", "expected a table for a.deadline"),
        ("{ defualt = \"5s\" }", "a.deadline.defualt: there is no such key"),
    ] {
        let error = toml::from_str::<seaworthy::Policies>(&format!("[a]\ndeadline = {deadline}")).unwrap_err();
        assert!(error.to_string().contains(expected), "{deadline}: {error}");
    }
    let nothing = format!("{:?}", toml::from_str::<seaworthy::Policies>("[a]\ndeadline = { max = \"1s\", most = 1 }"));
    assert!(nothing.contains("a.deadline.most"), "{nothing}");
}
