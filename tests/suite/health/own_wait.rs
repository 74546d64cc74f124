//! ER-11: checks that wait for themselves.

use std::sync::{Arc, OnceLock};
use std::thread;

use seaworthy::{AsyncCheck, BoxError, Health, Status};
use tokio_test::{assert_pending, task};

use super::serving;
use crate::support::{MS, SECOND, advance, now};

/// On a small stack, and with a clock that runs as fast as it can.
fn on_a_small_stack(test: impl AsyncFnOnce() + Send + 'static) {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test());
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

/// Waits for the health in there.
fn waits_for(health: &Arc<OnceLock<Health>>) -> AsyncCheck {
    let health = Arc::clone(health);
    AsyncCheck::new(move || {
        let health = Arc::clone(&health);
        async move {
            let report = health.get().unwrap().run_checks().await;
            if report.is_ready() { Ok(()) } else { Err(BoxError::from("not ready")) }
        }
    })
}

async fn assert_times_out(health: &Health) {
    for _ in 0..2 {
        let begun = now();
        let report = health.run_checks().await;
        assert_eq!(report.checks[0].status, Status::Down("timed out after 500ms".into()));
        assert!(now() - begun < MS * 510);
    }
}

/// ER-11: for its own `Health`.
#[test]
fn directly() {
    on_a_small_stack(async || {
        let (health, own) = (serving(), Arc::new(OnceLock::new()));
        health.require("own", waits_for(&own)).unwrap();
        own.set(health.clone()).unwrap();
        assert_times_out(&health).await;
        assert!(!health.is_ready());
        // A check that does not wait for itself is not blocked.
        health.require("own", || true).unwrap();
        assert!(health.run_checks().await.is_ready());
    });
}

/// ER-11: by way of another, in a ring of any length.
#[test]
fn in_a_ring() {
    on_a_small_stack(async || {
        for length in 2..=5 {
            let healths: Vec<_> = (0..length).map(|_| serving()).collect();
            for (health, next) in healths.iter().zip(healths.iter().cycle().skip(1)) {
                health.require("next", waits_for(&Arc::new(OnceLock::from(next.clone())))).unwrap();
            }
            // All of them at once, and each for itself.
            let mut all: Vec<_> = healths.iter().map(|health| task::spawn(health.run_checks())).collect();
            all.iter_mut().for_each(|run| assert_pending!(run.poll()));
            advance(SECOND).await;
            for run in all {
                assert!(!run.into_inner().await.is_ready());
            }
            for health in &healths {
                assert!(!health.run_checks().await.is_ready());
            }
        }
    });
}

/// ER-11: at its own endpoint.
#[cfg(feature = "http")]
#[test]
fn at_its_own_endpoint() {
    use tower::ServiceExt;
    on_a_small_stack(async || {
        let health = serving();
        let endpoints = health.endpoints();
        let get = |endpoints: &seaworthy::http::HealthEndpoints| {
            endpoints.clone().oneshot(http::Request::get("/health/ready").body(()).unwrap())
        };
        let own = endpoints.clone();
        let check = AsyncCheck::new(move || {
            let answer = get(&own);
            async move { if answer.await?.status().is_success() { Ok(()) } else { Err(BoxError::from("503")) } }
        });
        health.require("own", check).unwrap();
        for _ in 0..2 {
            assert_eq!(get(&endpoints).await.unwrap().status(), 503);
        }
    });
}

/// ER-11: such a run is dropped with its last caller, and leaves nothing to the next, even in a ring.
#[test]
fn after_a_caller_who_hung_up() {
    on_a_small_stack(async || {
        let (health, other, own) = (serving(), serving(), Arc::new(OnceLock::new()));
        let alive = Arc::new(());
        let (kept, next) = (Arc::clone(&alive), other.clone());
        let check = AsyncCheck::new(move || {
            let (kept, next) = (Arc::clone(&kept), next.clone());
            async move {
                let _kept = kept;
                next.run_checks().await;
                Ok::<_, BoxError>(())
            }
        });
        health.require("other", check).unwrap();
        other.require("own", waits_for(&own)).unwrap();
        own.set(health.clone()).unwrap();
        for order in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let mut calls = order.map(|which| task::spawn([&health, &other][which].run_checks()));
            calls.iter_mut().for_each(|call| assert_pending!(call.poll()));
            calls.iter_mut().for_each(|call| assert_pending!(call.poll()));
            assert!(Arc::strong_count(&alive) > 2);
            drop(calls);
            assert_eq!(Arc::strong_count(&alive), 2, "{order:?}");
        }
        let begun = now();
        assert!(!other.run_checks().await.is_ready());
        assert!(now() - begun >= MS * 500);
    });
}
