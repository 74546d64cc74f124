use std::sync::{Arc, Mutex};

use seaworthy::observe::ProbeEvent;
use seaworthy::prober::{ProbePolicy, Prober, TargetPhase};
use seaworthy::{Check, Event, ProbeState, Status};

use super::{Changes, Line, Script, calm, error, pass, policy, prober, quick};
use crate::support::{LevelFilter, Log, MS, SECOND};

/// PR-03: the thresholds, in both directions, and the events about them.
#[tokio::test(start_paused = true)]
async fn thresholds() {
    let changes = Changes::default();
    let prober = changes.prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", quick().success_threshold(2).build().unwrap(), script.clone()).unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!(target.state(), ProbeState::Starting, "one of two");
    pass(SECOND).await;
    assert_eq!(target.state(), ProbeState::Healthy);
    assert_eq!(changes.take(), [(ProbeState::Starting, ProbeState::Healthy)]);

    script.then(Line::Fail("sick"));
    pass(2 * SECOND).await;
    let status = target.status().unwrap();
    assert_eq!((status.state, status.failures, status.successes), (ProbeState::Healthy, 2, 0), "two of three");
    script.then(Line::Ok);
    pass(SECOND).await;
    script.then(Line::Fail("sick"));
    pass(2 * SECOND).await;
    assert_eq!(target.state(), ProbeState::Healthy, "the run was broken");
    assert_eq!(changes.take(), []);
    pass(SECOND).await;
    assert_eq!((target.state(), error(&target).as_deref()), (ProbeState::Unhealthy, Some("sick")));
    assert_eq!(changes.take(), [(ProbeState::Healthy, ProbeState::Unhealthy)]);

    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!((target.state(), error(&target)), (ProbeState::Unhealthy, None), "the error is gone at once");
    pass(SECOND).await;
    assert_eq!(changes.take(), [(ProbeState::Unhealthy, ProbeState::Healthy)]);
}

/// SO-02: a target that becomes unhealthy is logged as a warning, and its recovery as no more than info.
#[tokio::test(start_paused = true)]
async fn unhealthy_is_a_warning() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::INFO);
    let levels = |log: &Log| {
        let text = log.take();
        let changes = text.lines().filter(|line| line.contains("target changed state"));
        changes.map(|line| line.split_whitespace().next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let prober = prober();
    let script = Script::new(&[Line::Fail("sick")]);
    let _target = prober.add("a", quick().failure_threshold(1).build().unwrap(), script.clone()).unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!(levels(&log), ["WARN"]);
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!(levels(&log), ["INFO"]);
}

/// PR-03: failures in the start period are counted without changing the state; a success in it does.
#[tokio::test(start_paused = true)]
async fn the_start_period() {
    let prober = prober();
    let script = Script::new(&[Line::Fail("not yet")]);
    let policy = quick().start_period(4_500 * MS).build().unwrap();
    let target = prober.add("a", policy, script.clone()).unwrap();
    let _task = prober.spawn();
    pass(4_400 * MS).await;
    let status = target.status().unwrap();
    assert_eq!((status.state, status.failures), (ProbeState::Starting, 5));
    pass(700 * MS).await;
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Unhealthy, 6), "the first after it");
    // The start period counts from the start: a restart begins it again, another policy does not.
    target.set_policy(policy);
    pass(2_100 * MS).await;
    assert_eq!(target.state(), ProbeState::Unhealthy);
    target.restart();
    pass(2_100 * MS).await;
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Starting, 3));
    script.then(Line::Ok);
    pass(SECOND).await;
    assert_eq!(target.state(), ProbeState::Healthy, "a success counts in it, too");
}

/// PB-03: being found healthy ends the start period: failures after that count as usual. Another policy does not bring
/// it back, a restart does.
#[tokio::test(start_paused = true)]
async fn being_found_healthy_ends_the_start_period() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let policy = quick().start_period(300 * SECOND).success_threshold(2).build().unwrap();
    let target = prober.add("a", policy, script.clone()).unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    // One success of two does not end it.
    script.then(Line::Fail("sick"));
    pass(5 * SECOND).await;
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Starting, 5));
    script.then(Line::Ok);
    pass(2 * SECOND).await;
    assert_eq!(target.state(), ProbeState::Healthy);
    script.then(Line::Fail("sick"));
    pass(2 * SECOND).await;
    assert_eq!(target.state(), ProbeState::Healthy, "two of three");
    pass(SECOND).await;
    assert_eq!(target.state(), ProbeState::Unhealthy);
    target.set_policy(policy);
    pass(2 * SECOND).await;
    assert_eq!(target.state(), ProbeState::Unhealthy, "it is the target's, not the policy's");
    target.restart();
    pass(20 * SECOND).await;
    assert_eq!(target.state(), ProbeState::Starting);
}

/// PR-04: the phase masks the state; counts and times show while the target initialises and runs.
#[tokio::test(start_paused = true)]
async fn phases() {
    let prober = prober();
    let script = Script::new(&[Line::Fail("sick")]);
    let target = prober.add("a", policy(), script.clone()).unwrap();
    let _task = prober.spawn();
    target.set_phase(TargetPhase::Initialising);
    pass(3_100 * MS).await;
    let status = target.status().unwrap();
    assert_eq!((status.state, status.failures, status.phase), (ProbeState::Starting, 4, TargetPhase::Initialising));
    assert_eq!(status.since_probe(), Some(100 * MS));
    target.set_phase(TargetPhase::Running);
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Unhealthy, 4));

    target.set_phase(TargetPhase::NotRunning);
    let status = target.status().unwrap();
    assert_eq!((status.state, status.failures, status.since_failure), (ProbeState::Unknown, 0, None));
    let before = script.count();
    pass(5 * SECOND).await;
    assert_eq!(script.count(), before, "what does not run is not probed");
    target.set_phase(TargetPhase::Running);
    pass(MS).await;
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Starting, 1));
}

/// PR-04: without a policy a target is disabled and not probed.
#[tokio::test(start_paused = true)]
async fn disabled() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("a", None, script.clone()).unwrap();
    let _task = prober.spawn();
    pass(20 * SECOND).await;
    assert_eq!((target.state(), script.count()), (ProbeState::Disabled, 0));
    target.set_policy(policy());
    calm().await;
    assert_eq!((target.state(), script.count()), (ProbeState::Healthy, 1));
    target.set_policy(None::<ProbePolicy>);
    pass(20 * SECOND).await;
    assert_eq!((target.state(), script.count()), (ProbeState::Disabled, 1));
}

/// PR-08: an error is kept with its sources, up to 512 bytes.
#[tokio::test(start_paused = true)]
async fn long_errors_are_cut() {
    let prober = prober();
    let long = || async { Err::<(), _>(format!("{}é", "a".repeat(511))) };
    let target = prober.add("a", policy(), long).unwrap();
    let nested = || async {
        let inner = std::io::Error::other("the disk");
        let lost: seaworthy::BoxError = Box::new(Outer(inner));
        Err::<(), _>(lost)
    };
    let other = prober.add("b", policy(), nested).unwrap();
    let _task = prober.spawn();
    pass(MS).await;
    assert_eq!(error(&target), Some("a".repeat(511)));
    assert_eq!(error(&other).as_deref(), Some("lost: the disk"));
}

#[derive(Debug, thiserror::Error)]
#[error("lost")]
struct Outer(#[source] std::io::Error);

/// PR-09: a target is a check: up while healthy or disabled, down with a reason while unhealthy or unknown.
#[tokio::test(start_paused = true)]
async fn a_target_is_a_check() {
    let prober = prober();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("db", quick().failure_threshold(1).build().unwrap(), script.clone()).unwrap();
    let check: &dyn Check = &target;
    let down = |why: &'static str| Status::Down(why.into());
    assert_eq!(check.status(), down("db is starting"));
    let _task = prober.spawn();
    calm().await;
    assert_eq!(check.status(), Status::Up);
    script.then(Line::Fail("refused"));
    pass(SECOND).await;
    assert_eq!(check.status(), down("db is unhealthy: refused"));
    target.set_phase(TargetPhase::NotRunning);
    assert_eq!(check.status(), down("db is not running"));
    target.set_policy(None::<ProbePolicy>);
    assert_eq!(check.status(), Status::Up);
    assert!(target.remove() && !target.remove());
    assert_eq!((check.status(), target.status().is_none()), (Status::Up, true));
    assert!(!target.restart() && !target.set_policy(policy()) && !target.set_phase(TargetPhase::Running));
}

/// PR-03: the contents of a change: the name, the counts that led to it, the error, and a number that only grows.
#[tokio::test(start_paused = true)]
async fn what_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = told.clone();
    let observer = move |event: &Event<'_>| {
        if let Event::Probe(ProbeEvent::Transition { name, to, sequence, successes, failures, error, .. }) = event {
            lines.lock().unwrap().push(format!("{sequence} {name} {to} {successes} {failures} {error:?}"));
        }
    };
    let prober = Prober::builder().observer(observer).build().unwrap();
    let script = Script::new(&[Line::Ok]);
    let target = prober.add("db", quick().failure_threshold(2).build().unwrap(), script.clone()).unwrap();
    let _task = prober.spawn();
    pass(SECOND).await;
    script.then(Line::Fail("refused"));
    pass(5 * SECOND).await;
    target.restart();
    target.set_phase(TargetPhase::NotRunning);
    let expected = [
        "1 db healthy 1 0 None",
        "2 db unhealthy 0 2 Some(\"refused\")",
        "3 db starting 0 0 None",
        "4 db unknown 0 0 None",
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}
