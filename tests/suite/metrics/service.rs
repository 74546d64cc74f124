//! The events of a service: its phases, its checks, and its requests in flight.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seaworthy::{BoxError, Health, Phase};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::Diary;
use crate::support::{SECOND, advance};

/// A check that can be switched.
#[derive(Clone, Default)]
struct Down(Arc<AtomicBool>);

impl Down {
    fn set(&self, down: bool) {
        self.0.store(down, Ordering::Relaxed);
    }

    fn check(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let Down(down) = self.clone();
        move || !down.load(Ordering::Relaxed)
    }
}

/// ME-13: a service reports its creation, each phase, and its end; a clone is the same service.
#[test]
fn from_the_start_to_the_end() {
    let diary = Diary::new(true);
    let health = Health::observed(diary.clone());
    assert_eq!(diary.take(), ["built"]);
    health.advance(Phase::Serving);
    drop(health.clone());
    assert_eq!(diary.take(), ["starting serving"]);
    // A request in flight keeps it alive.
    let request = health.admit().unwrap();
    health.report("cache", || true).unwrap();
    health.require("database", || true).unwrap();
    drop(health);
    assert_eq!(diary.take(), ["in", "cache added up", "database added! up"]);
    drop(request);
    assert_eq!(diary.take(), ["out", "cache removed up", "database removed! up", "dropped serving"]);
}

/// ME-14: each request that is let in is reported once then, and once when it is gone, however it ends; one that is
/// rejected or exempt is not.
#[tokio::test]
async fn requests_in_flight() {
    let diary = Diary::new(true);
    let health = Health::observed(diary.clone());
    diary.take();
    assert!(health.admit().is_err());
    assert_eq!(diary.take(), ["rejected: starting while starting"]);
    health.advance(Phase::Serving);
    diary.take();
    let layer = health.readiness_layer();
    let answers = || service_fn(async |(): ()| Ok::<_, BoxError>(()));
    layer.layer(answers()).oneshot(()).await.unwrap();
    assert_eq!(diary.take(), ["in", "out"]);
    layer.clone().exempt(|&(): &()| true).layer(answers()).oneshot(()).await.unwrap();
    assert_eq!(diary.take(), [""; 0]);
    let mut hangs = layer.layer(service_fn(|(): ()| std::future::pending::<Result<(), BoxError>>()));
    let mut call = task::spawn(hangs.ready().await.unwrap().call(()));
    assert_pending!(call.poll());
    assert_eq!(diary.take(), ["in"]);
    drop(call);
    assert_eq!(diary.take(), ["out"]);
    let fails = service_fn(|(): ()| std::future::ready(Err::<(), BoxError>("down".into())));
    layer.layer(fails).oneshot(()).await.unwrap_err();
    assert_eq!(diary.take(), ["in", "out"]);
    let mut panics = layer.layer(service_fn(|(): ()| -> std::future::Ready<Result<(), BoxError>> {
        panic!("on purpose");
    }));
    let panics = panics.ready().await.unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(panics.call(())))).is_err());
    assert_eq!(diary.take(), ["in", "out"]);
    health.advance(Phase::Draining);
    drop(health.admit().unwrap());
    assert_eq!(diary.take(), ["serving draining", "in", "out"]);
    let refuses = health.readiness_layer().refuse_while_draining();
    refuses.layer(answers()).oneshot(()).await.unwrap_err();
    assert_eq!(diary.take(), ["rejected: shutting down while draining"]);
    assert_eq!(health.in_flight(), 0);
}

/// ME-15: a check is reported when it comes, changes and goes, once each; a replacement continues from there.
#[tokio::test]
async fn checks_that_come_and_go() {
    let (diary, down) = (Diary::new(true), Down::default());
    let health = Health::observed(diary.clone());
    health.advance(Phase::Serving);
    diary.take();
    health.require("database", down.check()).unwrap();
    assert!(health.require("", || true).is_err());
    assert_eq!(diary.take(), ["database added! up"]);
    down.set(true);
    assert!(health.admit().is_err() && health.admit().is_err());
    let rejected = "rejected: database while serving";
    assert_eq!(diary.take(), ["database changed! down", rejected, rejected]);
    // Another of the same kind continues where it was.
    health.require("database", || true).unwrap();
    assert_eq!(diary.take(), [""; 0]);
    assert!(health.is_ready());
    assert_eq!(diary.take(), ["database changed! up"]);
    health.require("database", down.check()).unwrap();
    assert!(!health.is_ready());
    diary.take();
    // One of the other kind, too, but it is another series.
    health.report("database", down.check()).unwrap();
    assert_eq!(diary.take(), ["database removed! down", "database added down"]);
    health.run_checks().await;
    assert_eq!(diary.take(), [""; 0]);
    assert!(health.remove("database") && !health.remove("database"));
    assert_eq!(diary.take(), ["database removed down"]);
    // And one that comes back is a new one.
    health.require("database", || true).unwrap();
    assert_eq!(diary.take(), ["database added! up"]);
}

/// ME-15: nothing is reported about a check that has been removed, even while it is still running.
#[tokio::test(start_paused = true)]
async fn a_check_that_is_removed_while_it_runs() {
    let (diary, down) = (Diary::new(true), Down::default());
    let health = Health::observed(diary.clone());
    health.report("cache", down.check()).unwrap();
    let pending = seaworthy::AsyncCheck::new(std::future::pending::<Result<(), BoxError>>);
    health.report("slow", pending.clone()).unwrap();
    diary.take();
    let mut run = task::spawn(health.run_checks());
    down.set(true);
    assert_pending!(run.poll());
    health.remove("cache");
    health.remove("slow");
    assert_eq!(diary.take(), ["cache removed up", "slow removed up"]);
    advance(SECOND).await;
    assert_ready!(run.poll());
    assert_eq!(diary.take(), [""; 0]);
}

/// ME-13, ME-14, ME-15: an observer that does not want events of calls hears of changes and rejections, and nothing
/// else.
#[test]
fn who_does_not_want_calls() {
    let (diary, down) = (Diary::new(false), Down::default());
    let health = Health::observed(diary.clone());
    health.require("database", down.check()).unwrap();
    health.advance(Phase::Serving);
    drop(health.admit().unwrap());
    down.set(true);
    assert!(health.admit().is_err());
    health.report("database", || true).unwrap();
    health.remove("database");
    drop(health);
    assert_eq!(diary.take(), ["starting serving", "database changed! down", "rejected: database while serving"]);
}

/// ME-15: the answer of a check that was replaced or removed while it was asked is not reported.
#[test]
fn a_check_that_is_replaced_while_it_is_asked() {
    let asked = |replace: fn(&Health)| {
        let diary = Diary::new(true);
        let health = Health::observed(diary.clone());
        health.advance(Phase::Serving);
        let itself = health.clone();
        let check = move || {
            replace(&itself);
            false
        };
        health.require("x", check).unwrap();
        diary.take();
        // It was there when the request came.
        assert!(health.admit().is_err());
        diary.take()
    };
    let rejected = "rejected: x while serving";
    assert_eq!(asked(|health| health.require("x", || true).unwrap()), [rejected]);
    let other_kind = asked(|health| health.report("x", || true).unwrap());
    assert_eq!(other_kind, ["x removed! up", "x added up", rejected]);
    let removed = asked(|health| assert!(health.remove("x")));
    assert_eq!(removed, ["x removed! up", rejected]);
    // And if nothing happens meanwhile, it is reported.
    assert_eq!(asked(|_| {}), ["x changed! down", rejected]);
}
