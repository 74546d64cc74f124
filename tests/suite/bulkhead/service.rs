use std::task::{Context, Poll, Waker};

use seaworthy::{BoxError, Bulkhead};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};
use tower::{Layer, Service as _, ServiceExt, service_fn};

use super::{assert_full, assert_idle, bulkhead, call, is_full, request, service};

/// BH-01: at most `limit` calls are inside, across all clones of the handle, its layers and its services.
#[tokio::test]
async fn one_limit_for_all_that_share_the_handle() {
    let bulkhead = bulkhead(2);
    let (mut one, mut backend_one) = service(&bulkhead);
    let (mut two, mut backend_two) = service(&bulkhead.clone());
    let mut first = call(&mut one, "first");
    let mut second = call(&mut two, "second");
    let mut clone = one.clone();
    // Both permits are taken, one through each layer: there is none for a clone of either.
    let mut third = call(&mut clone, "third");
    assert_full!(third);

    // Any service may take a free permit.
    assert_eq!((request!(backend_one), request!(backend_two)), (Some("first"), Some("second")));
    assert_eq!(assert_ready_ok!(first.poll()), "aye");
    let mut fourth = call(&mut two, "fourth");
    assert_eq!((request!(backend_one), request!(backend_two)), (None, Some("fourth")));
    assert_ready_ok!(second.poll());
    assert_ready_ok!(fourth.poll());
    assert_idle(&bulkhead);
}

/// BH-02: full: rejected at once with the name, the inner service untouched; with room again, passed on.
#[tokio::test]
async fn full_rejects_at_once() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    let permit = bulkhead.try_acquire().expect("free");
    // A touch from here on is a failure.
    backend.send_error("touched");
    let mut rejected = call(&mut service, "rejected");
    let error = assert_ready!(rejected.poll()).expect_err("full");
    assert_eq!(error.to_string(), "bulkhead `ship` is full");
    assert!(request!(backend).is_none());

    drop(permit);
    assert_eq!(assert_ready!(service.poll_ready()).expect_err("the inner's").to_string(), "touched");
    let mut passed = call(&mut service, "passed");
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());
}

/// BH-02: a service that was ready does not stay ready for ever: being full at `call` is what counts, and the inner
/// service stays as it is, ready for the next call.
#[tokio::test]
async fn full_between_ready_and_call() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    assert_ready_ok!(service.poll_ready());
    let permit = bulkhead.try_acquire().expect("free");
    let mut rejected = tokio_test::task::spawn(service.call("rejected"));
    assert_full!(rejected);
    assert!(request!(backend).is_none());

    // Ready without asking the inner service, which was ready before, while full; and then there is room.
    assert_ready_ok!(service.poll_ready());
    drop(permit);
    let mut passed = tokio_test::task::spawn(service.call("passed"));
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());
    assert_idle(&bulkhead);
}

/// BH-02: `poll_ready` advises and `call` decides: no call is rejected while a permit is free. If the inner service was
/// not asked whether it is ready, it is asked before it is called.
#[tokio::test]
async fn room_between_ready_and_call() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    let permit = bulkhead.try_acquire().expect("free");
    backend.allow(0);
    assert_ready_ok!(service.poll_ready());
    drop(permit);
    let mut passed = tokio_test::task::spawn(service.call("passed"));
    assert_eq!(bulkhead.in_use(), 1);
    // The inner service is not ready. (The mock panics if it is called now.)
    assert_pending!(passed.poll());
    assert!(request!(backend).is_none());
    backend.allow(1);
    assert!(passed.is_woken());
    assert_pending!(passed.poll());
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());
    assert_idle(&bulkhead);
}

/// BH-05: a ready but idle service takes no permit from the others; nor does a clone of it.
#[tokio::test]
async fn ready_and_idle_costs_nothing() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    let mut idle = service.clone();
    assert_ready_ok!(idle.poll_ready::<&str>());
    let mut unready = idle.clone();
    assert_idle(&bulkhead);
    let mut passed = call(&mut service, "passed");
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());

    // A clone of a ready service is not ready: it has to ask the inner service itself.
    backend.allow(0);
    assert_pending!(unready.poll_ready::<&str>());
    assert_ready_ok!(idle.poll_ready::<&str>());
}

/// BH-05: with room, `poll_ready` is the inner service's, pending or an error, and takes no permit. While full it is
/// ready.
#[tokio::test]
async fn readiness_passes_through() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    backend.allow(0);
    assert_pending!(service.poll_ready());
    assert_idle(&bulkhead);
    let permit = bulkhead.try_acquire().expect("free");
    assert_ready_ok!(service.poll_ready());
    drop(permit);
    assert_pending!(service.poll_ready());
    backend.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
    backend.send_error("sunk");
    assert_eq!(assert_ready!(service.poll_ready()).expect_err("the inner's").to_string(), "sunk");
    assert_idle(&bulkhead);
}

/// BH-08: the inner service's own error passes unchanged, and the permit is released.
#[tokio::test]
async fn inner_errors_pass() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    let mut failed = call(&mut service, "failed");
    assert_pending!(failed.poll());
    let (_, answer) = backend.next_request().await.expect("called");
    let error = BoxError::from("leak");
    let address = std::ptr::from_ref(error.as_ref()).cast::<()>();
    answer.send_error(error);
    assert!(failed.is_woken());
    let error = assert_ready!(failed.poll()).expect_err("the inner's");
    assert_eq!(std::ptr::from_ref(error.as_ref()).cast::<()>(), address);
    assert_idle(&bulkhead);
}

/// BH-10: a saturated bulkhead does not slow another down; they know nothing of each other.
#[tokio::test]
async fn two_bulkheads_are_apart() {
    let (compute, network) = (bulkhead(1), bulkhead(1));
    let (mut compute_service, _backend) = service(&compute);
    let (mut network_service, mut backend) = service(&network);
    let _permit = compute.try_acquire().expect("free");
    assert_full!(call(&mut compute_service, "rejected"));
    let mut passed = call(&mut network_service, "passed");
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());
    assert_eq!((compute.available(), network.available()), (0, 1));
    assert_eq!((compute.snapshot().rejected, network.snapshot().rejected), (1, 0));
}

/// BH-01: the rest of tower fits around it: load shedding finds it ready and gets the typed rejection, and a buffer
/// survives any number of them.
#[tokio::test]
async fn inside_of_load_shed_and_buffer() {
    let bulkhead = bulkhead(1);
    let inner = service_fn(async |request: u32| Ok::<_, BoxError>(request + 1));
    let permit = bulkhead.try_acquire().expect("free");
    let mut shed = tower::load_shed::LoadShed::new(bulkhead.layer().layer(inner));
    assert!(is_full(&shed.ready().await.expect("ready").call(1).await));
    let mut buffer = tower::buffer::Buffer::new(bulkhead.layer().layer(inner), 4);
    for _ in 0..10 {
        assert!(is_full(&buffer.ready().await.expect("ready").call(1).await));
    }
    drop(permit);
    assert_eq!(buffer.ready().await.expect("ready").call(1).await.expect("passed"), 2);
    assert_eq!(shed.ready().await.expect("ready").call(2).await.expect("passed"), 3);
    assert_idle(&bulkhead);
}

/// BH-01: what is accessible through the service.
#[test]
fn access_to_the_parts() {
    let bulkhead = Bulkhead::builder("ship").limit(1).build().expect("valid");
    let mut service = bulkhead.layer().layer(7);
    assert_eq!((service.bulkhead().name().as_str(), *service.get_ref()), ("ship", 7));
    *service.get_mut() = 8;
    assert_eq!(service.clone().into_inner(), 8);
    assert!(format!("{:?} {service:?}", bulkhead.layer()).contains("in_use: 0"));
}

/// BH-05: a service that was used directly is made ready again before it is called.
#[tokio::test]
async fn direct_use_takes_the_readiness() {
    let bulkhead = bulkhead(1);
    let (mut service, mut backend) = service(&bulkhead);
    assert_ready_ok!(service.poll_ready());
    drop(service.get_mut().get_mut().call("direct"));
    assert_eq!(request!(backend), Some("direct"));
    let mut passed = tokio_test::task::spawn(service.call("passed"));
    assert!(request!(backend).is_none());
    assert_pending!(passed.poll());
    assert_eq!(request!(backend), Some("passed"));
    assert_ready_ok!(passed.poll());
}

/// BH-02: a rejection that was taken is not returned twice.
#[test]
#[should_panic = "polled after it was ready"]
fn polled_too_often() {
    let bulkhead = bulkhead(1);
    let _permit = bulkhead.try_acquire().expect("free");
    let mut service = bulkhead.layer().layer(service_fn(async |(): ()| Ok::<_, BoxError>(())));
    let cx = &mut Context::from_waker(Waker::noop());
    let mut rejected = std::pin::pin!(service.call(()));
    assert!(matches!(rejected.as_mut().poll(cx), Poll::Ready(Err(_))));
    let _panics = rejected.as_mut().poll(cx);
}
