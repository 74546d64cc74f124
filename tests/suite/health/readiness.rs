use std::task::{Context, Poll, Waker};

use seaworthy::{BoxError, Health, Phase};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service as _, ServiceExt, service_fn};

use super::{Switch, reason, request, service, service_with, serving};

/// RD-01, HC-03: before the service serves and after it has stopped, a request is rejected with the phase as the
/// reason, the inner service untouched; while it is serving or draining it is let in.
#[tokio::test]
async fn the_phase_is_in_the_way() {
    let table = [
        (Phase::Starting, Some("starting")),
        (Phase::Serving, None),
        (Phase::Draining, None),
        (Phase::Stopped, Some("shutting down")),
    ];
    for (phase, expected) in table {
        let health = Health::new();
        health.advance(phase);
        let (mut service, mut backend) = service(&health);
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call("x"));
        match expected {
            Some(expected) => {
                assert_eq!(reason(assert_ready!(call.poll())).as_deref(), Some(expected));
                assert_eq!((request!(backend), health.in_flight(), health.is_ready()), (None, 0, false));
            }
            None => {
                assert_pending!(call.poll());
                assert_eq!((health.in_flight(), health.is_ready()), (1, phase == Phase::Serving));
                assert_eq!(request!(backend), Some("x"));
                assert_eq!(assert_ready_ok!(call.poll()), "aye");
                assert_eq!(health.in_flight(), 0);
            }
        }
    }
}

/// HC-03, RD-01, RD-09: a request that comes while the service is draining is served and counted, by handle and by
/// layer; not before it serves and not after it has stopped, nor while a required check is down.
#[tokio::test]
async fn served_while_draining() {
    let health = Health::new();
    let database = Switch::default();
    health.require("database", database.clone()).unwrap();
    let mut service = health
        .readiness_layer()
        .exempt(|request: &&str| *request == "exempt")
        .layer(service_fn(async |_: &'static str| Ok::<_, BoxError>("aye")));
    let mut ask = async || service.ready().await.unwrap().call("x").await.map_err(|error| error.to_string());

    assert_eq!(ask().await.unwrap_err(), "not ready: starting");
    health.advance(Phase::Serving);
    assert_eq!(ask().await.unwrap(), "aye");
    health.advance(Phase::Draining);
    assert_eq!(ask().await.unwrap(), "aye");
    assert!(!health.is_ready() && health.admit().is_ok(), "it is let in, but it should not have come");
    database.set_down(true);
    assert_eq!(ask().await.unwrap_err(), "not ready: database");
    database.set_down(false);
    assert_eq!(ask().await.unwrap(), "aye");

    let mut clone = service.clone();
    let mut running = task::spawn(clone.ready().await.unwrap().call("x"));
    let mut idle = task::spawn(health.idle());
    assert_eq!(health.in_flight(), 1);
    assert_pending!(idle.poll(), "it is waited for");
    assert_ready_ok!(running.poll());
    assert!(idle.is_woken());
    assert_ready!(idle.poll());

    health.advance(Phase::Stopped);
    let error = service.ready().await.unwrap().call("x").await.unwrap_err();
    assert_eq!(error.to_string(), "not ready: shutting down");
}

/// RD-01, RD-02: a required check that is down rejects with its name; one that is only reported does not. Requests in
/// flight go on.
#[tokio::test]
async fn a_required_check_is_in_the_way() {
    let health = serving();
    let (database, cache) = (Switch::default(), Switch::default());
    health.require("database", database.clone()).unwrap();
    health.report("cache", cache.clone()).unwrap();
    let (mut service, mut backend) = service(&health);
    assert_ready_ok!(service.poll_ready());
    let mut running = task::spawn(service.call("running"));
    assert_pending!(running.poll());

    database.set_down(true);
    cache.set_down(true);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("rejected"));
    assert_eq!(reason(assert_ready!(call.poll())).as_deref(), Some("database"));
    assert_eq!(health.in_flight(), 1);

    database.set_down(false);
    assert_ready_ok!(service.poll_ready());
    let mut passed = task::spawn(service.call("passed"));
    assert_pending!(passed.poll());
    assert_eq!((request!(backend), request!(backend)), (Some("running"), Some("passed")));
    assert_ready_ok!(running.poll());
    assert_ready_ok!(passed.poll());
    assert_eq!((health.in_flight(), cache.asked()), (0, 0));
}

/// RD-01: of several, the first by name is given as the reason.
#[test]
fn the_first_by_name_is_told() {
    let health = serving();
    for name in ["c", "a", "b"] {
        health.require(name, move || name == "a").unwrap();
    }
    assert_eq!(health.admit().unwrap_err().to_string(), "not ready: b");
    assert!(health.remove("b") && !health.remove("b"));
    assert_eq!(health.admit().unwrap_err().to_string(), "not ready: c");
    assert!(health.remove("c"));
    assert!(health.is_ready());
}

/// RD-08: while not ready, `poll_ready` is ready and does not ask the inner service; while ready, it is the inner's.
#[tokio::test]
async fn poll_ready_leaves_the_inner_service_alone() {
    let health = serving();
    let switch = Switch::default();
    health.require("x", switch.clone()).unwrap();
    let (mut service, mut backend) = service(&health);
    backend.allow(0);
    assert_pending!(service.poll_ready());
    switch.set_down(true);
    assert_ready_ok!(service.poll_ready());
    // A touch from here on is a failure.
    backend.send_error("touched");
    assert_ready_ok!(service.poll_ready());
    switch.set_down(false);
    assert_eq!(assert_ready_err!(service.poll_ready()).to_string(), "touched");
}

/// RD-08: `call` decides. Down since `poll_ready`: rejected, and the inner service stays ready for the next call. Up
/// again since: let in, by a clone that is made ready first.
#[tokio::test]
async fn call_decides() {
    let health = serving();
    let switch = Switch::default();
    health.require("x", switch.clone()).unwrap();
    let (mut service, mut backend) = service(&health);
    assert_ready_ok!(service.poll_ready());
    switch.set_down(true);
    let mut call = task::spawn(service.call("rejected"));
    assert_eq!(reason(assert_ready!(call.poll())).as_deref(), Some("x"));
    assert!(request!(backend).is_none());

    // The readiness from before is this call's.
    switch.set_down(false);
    let mut call = task::spawn(service.call("passed"));
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(call.poll());

    switch.set_down(true);
    assert_ready_ok!(service.poll_ready());
    switch.set_down(false);
    backend.allow(0);
    let mut call = task::spawn(service.call("late"));
    // The inner service is not ready; the request is in flight all the same.
    assert_pending!(call.poll());
    assert_eq!(health.in_flight(), 1);
    backend.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    assert_eq!(request!(backend), Some("late"));
    assert_ready_ok!(call.poll());
    assert_eq!(health.in_flight(), 0);
}

/// RD-08: an error of the inner service's own readiness surfaces, whichever way it was asked.
#[tokio::test]
async fn an_error_of_the_inner_readiness() {
    let health = Health::new();
    let (mut service, mut backend) = service(&health);
    assert_ready_ok!(service.poll_ready());
    health.advance(Phase::Serving);
    backend.send_error("broken");
    let mut call = task::spawn(service.call("late"));
    assert_eq!(assert_ready_err!(call.poll()).to_string(), "broken");
    assert_eq!(health.in_flight(), 0);
}

/// HC-03: a layer set to refuse does so from the beginning of draining, whatever other layers do, and so do its clones;
/// requests in flight go on.
#[tokio::test]
async fn refused_while_draining() {
    let health = serving();
    let layer = health.readiness_layer().refuse_while_draining().exempt(|request: &&str| *request == "exempt");
    let (mut service, mut backend) = tower_test::mock::spawn_layer::<&'static str, &'static str, _>(layer.clone());
    assert_ready_ok!(service.poll_ready());
    let mut running = task::spawn(service.call("x"));
    assert_pending!(running.poll());
    health.advance(Phase::Draining);
    for request in ["y", "exempt"] {
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call(request));
        if request == "exempt" {
            assert_pending!(call.poll());
        } else {
            assert_eq!(reason(assert_ready!(call.poll())).as_deref(), Some("shutting down"));
        }
    }
    assert_eq!((request!(backend), request!(backend), health.in_flight()), (Some("x"), Some("exempt"), 1));
    assert_ready_ok!(running.poll());
    assert!(health.admit().is_ok(), "the others were not told to");
}

/// RD-07, RD-09: exempt requests pass whatever the state, and are not counted; the others are rejected and counted.
#[tokio::test]
async fn exempt_passes_and_is_not_counted() {
    for phase in [Phase::Starting, Phase::Serving, Phase::Draining, Phase::Stopped] {
        for down in [false, true] {
            let health = Health::new();
            health.advance(phase);
            health.require("x", move || !down).unwrap();
            let (mut service, mut backend) = service_with(&health, |request: &&str| *request == "ping");
            assert_ready_ok!(service.poll_ready());
            let mut ping = task::spawn(service.call("ping"));
            assert_pending!(ping.poll());
            assert_eq!((request!(backend), health.in_flight()), (Some("ping"), 0), "{phase}, {down}");
            assert_ready_ok!(ping.poll());

            assert_ready_ok!(service.poll_ready());
            let mut pong = task::spawn(service.call("pong"));
            let passes = matches!(phase, Phase::Serving | Phase::Draining) && !down;
            assert_eq!(pong.poll().is_pending(), passes);
            assert_eq!((request!(backend), health.in_flight()), (passes.then_some("pong"), u64::from(passes)));
        }
    }
}

/// RD-08: ready but idle clones hold nothing; a clone is not ready just because the original is.
#[tokio::test]
async fn a_clone_is_not_ready() {
    let health = serving();
    let inner = service_fn(|request: u8| async move { Ok::<_, BoxError>(request) });
    let mut service = health.readiness_layer().layer(ConcurrencyLimit::new(inner, 1));
    let cx = &mut Context::from_waker(Waker::noop());
    assert_ready_ok!(service.poll_ready(cx));
    let mut clone = service.clone();
    assert_eq!(health.in_flight(), 0);
    // The original holds the one permit. A clone that was never made ready waits for it and does not panic.
    let mut call = task::spawn(clone.call(1));
    assert_pending!(call.poll());
    assert_eq!(health.in_flight(), 1);
    assert_eq!(service.call(2).await.unwrap(), 2);
    assert_eq!(assert_ready_ok!(call.poll()), 1);
    assert_eq!(health.in_flight(), 0);
}

/// RD-09: all layers and services made from one handle count into it, and `idle` waits for all of them.
#[tokio::test]
async fn idle_waits_for_all() {
    let health = serving();
    let (mut one, mut backend_one) = service(&health);
    let (mut two, mut backend_two) = service(&health.clone());
    assert_ready_ok!(one.poll_ready());
    assert_ready_ok!(two.poll_ready());
    let (mut first, mut second) = (task::spawn(one.call("first")), task::spawn(two.call("second")));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    let third = health.admit().unwrap();
    let mut idle = task::spawn(health.idle());
    assert_pending!(idle.poll());
    assert_eq!(health.in_flight(), 3);
    health.require("closed", || false).unwrap();
    assert!(health.advance(Phase::Draining));

    request!(backend_one);
    request!(backend_two);
    assert_ready_ok!(first.poll());
    drop(second);
    assert!(!idle.is_woken());
    // A request rejected in the meantime is not waited for.
    assert!(health.admit().is_err());
    assert_eq!(health.in_flight(), 1);
    drop(third);
    assert!(idle.is_woken());
    assert_ready!(idle.poll());
    assert_ready!(task::spawn(health.idle()).poll());
}

/// RD-01: above it, a buffer survives a time out of rotation.
#[tokio::test]
async fn under_a_buffer() {
    let health = Health::new();
    let inner = service_fn(|request: u8| async move { Ok::<_, BoxError>(request) });
    let mut buffer = tower::buffer::Buffer::new(health.readiness_layer().layer(inner), 4);
    let answer = buffer.ready().await.unwrap().call(1).await;
    assert_eq!(reason(answer).as_deref(), Some("starting"));
    health.advance(Phase::Serving);
    assert_eq!(buffer.ready().await.unwrap().call(2).await.unwrap(), 2);
}

/// RD-01: a load shedder above reports the state, not overload.
#[tokio::test]
async fn under_load_shed() {
    let health = Health::new();
    let (inner, mut backend) = tower_test::mock::pair::<u8, u8>();
    backend.allow(0);
    let mut shed = tower::load_shed::LoadShed::new(health.readiness_layer().layer(inner));
    assert_eq!(reason(shed.ready().await.unwrap().call(1).await).as_deref(), Some("starting"));
    health.advance(Phase::Serving);
    let error = shed.ready().await.unwrap().call(1).await.unwrap_err();
    assert!(error.is::<tower::load_shed::error::Overloaded>(), "{error}");
    assert_eq!(health.in_flight(), 0);
}

/// `poll_ready` of the service itself, by hand.
#[test]
fn poll_ready_takes_nothing() {
    let health = serving();
    let mut service = health.readiness_layer().layer(service_fn(|(): ()| async { Ok::<_, BoxError>(()) }));
    for _ in 0..3 {
        assert!(matches!(service.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(()))));
    }
    assert_eq!(health.in_flight(), 0);
}
