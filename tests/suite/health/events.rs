use std::sync::{Arc, Mutex};

use seaworthy::observe::HealthEvent;
use seaworthy::{AsyncCheck, Event, Health, Phase, Status};

use super::Switch;

fn told() -> (Health, Arc<Mutex<Vec<String>>>) {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let lines = Arc::clone(&told);
    let health = Health::observed(move |event: &Event<'_>| {
        lines.lock().unwrap().push(match event {
            Event::Health(HealthEvent::PhaseChanged { from, to, .. }) => format!("{from} -> {to}"),
            Event::Health(HealthEvent::CheckChanged { name, required, reason, .. }) => {
                let reason = reason.map_or("up", |reason| reason.as_str());
                format!("{name}{} {reason}", if *required { "!" } else { "" })
            }
            Event::Health(HealthEvent::Rejected { reason, .. }) => format!("rejected: {reason}"),
            other => panic!("no test knows of {other:?}"),
        });
    });
    (health, told)
}

/// RD-01: a phase is reported once, when it is reached; one that was skipped is not reached.
#[test]
fn phases() {
    let (health, told) = told();
    assert!(health.advance(Phase::Serving) && !health.advance(Phase::Serving) && !health.advance(Phase::Starting));
    assert!(health.advance(Phase::Stopped) && !health.advance(Phase::Draining));
    assert_eq!(*told.lock().unwrap(), ["starting -> serving", "serving -> stopped"]);
}

/// RD-02: a check is reported when it changes, not when it is asked, whichever call notices; each rejection is
/// reported.
#[tokio::test]
async fn changes_of_checks() {
    let (health, told) = told();
    health.advance(Phase::Serving);
    let (needed, shown) = (Switch::default(), Switch::default());
    health.require("needed", needed.clone()).unwrap();
    health.report("shown", shown.clone()).unwrap();
    let take = || std::mem::take(&mut *told.lock().unwrap());
    take();
    (0..3).for_each(|_| drop(health.admit().unwrap()));
    health.run_checks().await;
    assert!(take().is_empty());

    needed.set_down(true);
    shown.set_down(true);
    assert!(health.admit().is_err() && health.admit().is_err());
    assert_eq!(take(), ["needed! down", "rejected: needed", "rejected: needed"]);
    // Only a report asks a check that is only reported.
    health.run_checks().await;
    health.run_checks().await;
    assert_eq!(take(), ["shown down"]);
    // An observer that saw it go down sees it come up, even if another check took its place.
    health.require("needed", || true).unwrap();
    shown.set_down(false);
    drop(health.admit().unwrap());
    health.run_checks().await;
    assert_eq!(take(), ["needed! up", "shown up"]);
}

/// HE-02: an observer gets the reason why an asynchronous check failed, once for all waiters.
#[tokio::test]
async fn why_a_check_failed() {
    let (health, told) = told();
    health.require("database", AsyncCheck::new(|| async { Err::<(), _>("password=hunter2 refused") })).unwrap();
    let (one, two) = tokio::join!(health.run_checks(), health.run_checks());
    assert_eq!(one, two);
    assert_eq!(one.checks[0].status, Status::Down("password=hunter2 refused".into()));
    assert_eq!(*told.lock().unwrap(), ["database! password=hunter2 refused"]);
}

/// RD-01: an observer that panics affects no request.
#[test]
fn an_observer_that_panics() {
    let health = Health::observed(|_: &Event<'_>| panic!("on purpose"));
    assert!(health.admit().is_err());
    assert!(health.advance(Phase::Serving));
    health.require("x", || false).unwrap();
    assert!(health.admit().is_err());
    health.remove("x");
    assert!(health.admit().is_ok());
}
