//! `MetricsObserver`'s view of services, tasks, families, targets and fallbacks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use seaworthy::{BoxError, Bulkhead, Fallback, Health, Keyed, MetricsObserver, Phase, Rejected};

use super::series::Shown;
use crate::support::SECOND;

/// All services of a process share its gauges, even those of another test.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// ME-13, ME-14: a service's phase is one-hot from the start, its requests in flight match its handle, and rejections
/// are distinguished by their reason.
#[test]
fn a_service() {
    let (shown, _alone) = (Shown::new(), alone());
    let health = Health::observed(MetricsObserver::new());
    let phase = |starting, serving, draining, stopped| {
        shown.assert(&[
            (r#"phase{phase="starting"}"#, starting),
            (r#"phase{phase="serving"}"#, serving),
            (r#"phase{phase="draining"}"#, draining),
            (r#"phase{phase="stopped"}"#, stopped),
        ]);
    };
    let rejected = |starting, down, shutting_down| {
        shown.assert(&[
            (r#"rejections_total{name="",reason="starting"}"#, starting),
            (r#"rejections_total{name="me-required",reason="check_down"}"#, down),
            (r#"rejections_total{name="",reason="shutting_down"}"#, shutting_down),
        ]);
    };
    let check = |required: &str, up, down| {
        let series = |state| format!(r#"check_state{{name="me-required",required="{required}",state="{state}"}}"#);
        shown.assert(&[(&series("up"), up), (&series("down"), down)]);
    };
    let in_flight = || shown.assert(&[("requests_in_flight", health.in_flight())]);
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    health.require("me-required", move || !is_down.load(Ordering::Relaxed)).unwrap();
    phase(1, 0, 0, 0);
    rejected(0, 0, 0);
    check("true", 1, 0);
    assert_eq!(shown.value(r#"check_state{name="me-required",required="false",state="up"}"#), None);
    in_flight();
    assert!(health.admit().is_err());
    rejected(1, 0, 0);
    health.advance(Phase::Serving);
    phase(0, 1, 0, 0);
    let requests = [health.admit().unwrap(), health.admit().unwrap()];
    assert_eq!(health.in_flight(), 2);
    in_flight();
    down.store(true, Ordering::Relaxed);
    assert!(health.admit().is_err() && health.admit().is_err());
    rejected(1, 2, 0);
    check("true", 0, 1);
    in_flight();
    down.store(false, Ordering::Relaxed);
    assert!(health.is_ready());
    check("true", 1, 0);
    health.report("me-required", || true).unwrap();
    check("true", 0, 0);
    check("false", 1, 0);
    health.advance(Phase::Draining);
    phase(0, 0, 1, 0);
    assert!(health.admit().is_ok());
    rejected(1, 2, 0);
    drop(requests);
    in_flight();
    health.advance(Phase::Stopped);
    phase(0, 0, 0, 1);
    assert!(health.admit().is_err());
    rejected(1, 2, 1);
    drop(health);
    phase(0, 0, 0, 0);
    check("false", 0, 0);
}

/// ME-15: a check that is only reported rejects nothing, and has no series for that.
#[test]
fn a_check_that_is_only_shown() {
    let (shown, _alone) = (Shown::new(), alone());
    let health = Health::observed(MetricsObserver::new());
    health.report("me-shown", || false).unwrap();
    let state = |state| format!(r#"check_state{{name="me-shown",required="false",state="{state}"}}"#);
    shown.assert(&[(&state("up"), 1), (&state("down"), 0)]);
    drop(tokio_test::block_on(health.run_checks()));
    shown.assert(&[(&state("up"), 0), (&state("down"), 1)]);
    assert_eq!(shown.value(r#"rejections_total{name="me-shown",reason="check_down"}"#), None);
    health.remove("me-shown");
    shown.assert(&[(&state("up"), 0), (&state("down"), 0)]);
}

/// ME-18: the gauges of a family match its snapshot, after each step.
#[tokio::test(start_paused = true)]
async fn a_family() {
    let shown = Shown::new();
    let keyed: Keyed<u32, Bulkhead> =
        Bulkhead::builder("me-keyed").observer(MetricsObserver::new()).keyed().max(2).idle(SECOND).build().unwrap();
    let check = |removed, exhausted| {
        let snapshot = keyed.snapshot();
        shown.assert(&[
            (r#"keyed_max_handles{name="me-keyed"}"#, snapshot.max.into()),
            (r#"keyed_handles{name="me-keyed"}"#, snapshot.handles),
            (r#"keyed_evicted_total{name="me-keyed",cause="idle"}"#, snapshot.evicted_idle),
            (r#"keyed_evicted_total{name="me-keyed",cause="capacity"}"#, snapshot.evicted_for_capacity),
            (r#"keyed_evicted_total{name="me-keyed",cause="removed"}"#, removed),
            (r#"keyed_overflows_total{name="me-keyed"}"#, snapshot.overflowed),
            (r#"keyed_exhausted_total{name="me-keyed"}"#, exhausted),
        ]);
        (snapshot.handles, snapshot.evicted_for_capacity, snapshot.overflowed)
    };
    assert_eq!(check(0, 0), (0, 0, 0));
    (0..3).for_each(|key| drop(keyed.get(&key)));
    assert_eq!(check(0, 0), (2, 1, 0));
    let held = [keyed.get(&2), keyed.get(&3)];
    (7..10).for_each(|key| drop(keyed.get(&key)));
    assert_eq!(check(0, 1), (2, 2, 3));
    drop((held, keyed.remove(&2)));
    assert_eq!(check(1, 1), (1, 2, 3));
    drop(keyed);
    shown.assert(&[(r#"keyed_max_handles{name="me-keyed"}"#, 0), (r#"keyed_handles{name="me-keyed"}"#, 0)]);
}

/// ME-19: a fallback's counter exists from when it is built, and counts the calls that fell back.
#[tokio::test]
async fn a_fallback() {
    let shown = Shown::new();
    let layer = Fallback::value("me-fallback", 7).observer(MetricsObserver::new()).build().unwrap();
    let fallbacks = |count| shown.assert(&[(r#"fallbacks_total{name="me-fallback"}"#, count)]);
    fallbacks(0);
    assert!(layer.run(async { Err::<u32, BoxError>("down".into()) }).await.is_err());
    fallbacks(0);
    let rejected = Rejected::NotReady { reason: "x".into(), retry_after: None.into() };
    layer.run(async { Err::<u32, BoxError>(rejected.into()) }).await.unwrap();
    fallbacks(1);
}

/// ME-16: a target's state is one-hot from the start, and its probes are counted and timed by outcome.
#[cfg(feature = "prober")]
#[tokio::test(start_paused = true)]
async fn a_target() {
    use super::prober::{policy, script};
    use crate::support::{MS, pass};

    let shown = Shown::new();
    let prober = seaworthy::prober::Prober::builder().observer(MetricsObserver::new()).build().unwrap();
    let state = |expected: &str| {
        for state in ["disabled", "unknown", "starting", "healthy", "unhealthy"] {
            let series = format!(r#"probe_target_state{{name="me-target",state="{state}"}}"#);
            shown.assert(&[(&series, u64::from(state == expected))]);
        }
    };
    let probes = |success, failure, timed_out| {
        shown.assert(&[
            (r#"probes_total{name="me-target",outcome="success"}"#, success),
            (r#"probes_total{name="me-target",outcome="failure"}"#, failure),
            (r#"probes_total{name="me-target",outcome="timed_out"}"#, timed_out),
        ]);
    };
    let target = prober.add("me-target", policy(), script()).unwrap();
    state("starting");
    probes(0, 0, 0);
    let task = prober.spawn();
    pass(MS).await;
    state("healthy");
    probes(1, 0, 0);
    pass(SECOND).await;
    state("healthy");
    probes(1, 1, 0);
    pass(SECOND + 100 * MS).await;
    state("unhealthy");
    probes(1, 1, 1);
    assert_eq!(
        shown.value(r#"probe_duration_seconds_sum{name="me-target",outcome="timed_out"}"#),
        Some("0.1".to_owned())
    );
    shown.assert(&[(r#"probe_duration_seconds_count{name="me-target",outcome="success"}"#, 1)]);
    target.set_policy(None);
    state("disabled");
    target.remove();
    state("gone");
    task.stop().await;
    probes(1, 1, 1);
}

/// ME-17: tasks are counted while they exist, and their failures by cause and consequence.
#[cfg(feature = "lifecycle")]
#[tokio::test(start_paused = true)]
async fn a_task() {
    use seaworthy::runner::RestartPolicy;
    use seaworthy::{Backoff, Jitter, Runner, Shutdown};

    use crate::support::pass;

    let shown = Shown::new();
    let runner = Runner::builder().signals([]).observer(MetricsObserver::new()).build().unwrap();
    let tasks = |count| shown.assert(&[(r#"tasks{name="me-task"}"#, count)]);
    let failures = |expected: [u64; 4]| {
        let kinds = [("error", true), ("panic", true), ("error", false), ("panic", false)];
        for ((cause, restarted), count) in kinds.into_iter().zip(expected) {
            let series = format!(r#"task_failures_total{{name="me-task",cause="{cause}",restarted="{restarted}"}}"#);
            shown.assert(&[(&series, count)]);
        }
    };
    let mut runs = 0;
    let work = move |shutdown: Shutdown| {
        runs += 1;
        let run = runs;
        async move {
            match run {
                1 | 2 => Err(BoxError::from("down")),
                3 => panic!("on purpose"),
                _ => {
                    shutdown.requested().await;
                    Ok(())
                }
            }
        }
    };
    runner.supervise("me-task", RestartPolicy::new(Backoff::constant(SECOND).jitter(Jitter::None)), work).unwrap();
    tasks(1);
    failures([0; 4]);
    pass(SECOND / 2).await;
    failures([1, 0, 0, 0]);
    tasks(1);
    pass(2 * SECOND).await;
    failures([2, 1, 0, 0]);
    tasks(1);
    runner.task("me-task", async |_: Shutdown| Err::<(), BoxError>("for good".into())).unwrap();
    tasks(2);
    assert!(runner.run().await.is_err());
    failures([2, 1, 1, 0]);
    tasks(0);
}
