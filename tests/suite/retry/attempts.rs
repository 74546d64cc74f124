use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use seaworthy::retry::StopReason;
use seaworthy::{Backoff, BoxError, Error, WrapErrorLayer};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

use super::{Flaky, Line, Told, quick};
use crate::support::{SECOND, advance};

/// RT-01, RG-4: attempts include the first: exactly that many calls reach a service that keeps failing.
#[tokio::test]
async fn so_many_attempts() {
    for attempts in [1, 2, 3, 5, 10] {
        let (service, calls) = Flaky::new(u32::MAX);
        let error = quick(attempts).build().unwrap().layer().layer(service).oneshot(()).await.unwrap_err();
        assert_eq!(calls.load(Ordering::Relaxed), attempts);
        // The last error comes back, not the first.
        assert_eq!(error.to_string(), format!("failure {attempts}"));
    }
}

/// RT-01: success stops; a first success is one call and no event.
#[tokio::test]
async fn success_stops() {
    for failures in 0..4 {
        let told = Told::default();
        let (service, calls) = Flaky::new(failures);
        let policy = told.by(quick(4)).build().unwrap();
        assert_eq!(policy.layer().layer(service).oneshot(()).await.unwrap(), failures + 1);
        assert_eq!(calls.load(Ordering::Relaxed), failures + 1);
        let stops = if failures == 0 { vec![] } else { vec![(failures + 1, StopReason::Succeeded)] };
        assert_eq!(told.stops(), stops);
    }
}

/// RT-02: the observer gets each retry, how many attempts were made, and why there were no more.
#[tokio::test]
async fn told() {
    let told = Told::default();
    let policy = told.by(quick(3)).build().unwrap();
    let (service, _) = Flaky::new(u32::MAX);
    policy.layer().layer(service).oneshot(()).await.unwrap_err();
    let error = |n| Some(format!("failure {n}"));
    let zero = std::time::Duration::ZERO;
    assert_eq!(
        told.take(),
        [
            Line::Retried(1, zero, error(1)),
            Line::Retried(2, zero, error(2)),
            Line::Stopped(3, StopReason::AttemptsExhausted, error(3)),
        ]
    );
}

/// RT-02: the last response is returned untouched, if responses are what is retried.
#[tokio::test]
async fn last_response() {
    let told = Told::default();
    let policy = told.by(quick(3)).build().unwrap();
    let layer = policy.layer().retry_if(|result: &Result<u32, BoxError>| result.is_ok());
    let (service, calls) = Flaky::new(0);
    assert_eq!(layer.layer(service).oneshot(()).await.unwrap(), 3);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(told.take().pop(), Some(Line::Stopped(3, StopReason::AttemptsExhausted, None)));
}

/// A request that is not `Clone`.
struct Precious(u32);

/// RT-06: a request that cannot be copied is sent once, and that is no error by itself.
#[tokio::test]
async fn no_copy_no_retry() {
    let told = Told::default();
    let policy = told.by(quick(3)).build().unwrap();
    let layer = policy.layer().replay(|_: &Precious| None);

    let (service, calls) = Flaky::new(1);
    let error = layer.layer(service).oneshot(Precious(1)).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), calls.load(Ordering::Relaxed)), ("failure 1", 1));
    assert_eq!(told.stops(), [(1, StopReason::NotReplayable)]);

    let (service, calls) = Flaky::new(0);
    assert_eq!(layer.layer(service).oneshot(Precious(1)).await.unwrap(), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(told.take(), []);
}

/// RT-06: a copy that can be made only once ends the retrying after that.
#[tokio::test]
async fn copies_run_out() {
    let told = Told::default();
    let policy = told.by(quick(9)).build().unwrap();
    let layer = policy.layer().replay(|Precious(left): &Precious| left.checked_sub(1).map(Precious));
    let (service, calls) = Flaky::new(u32::MAX);
    layer.layer(service).oneshot(Precious(1)).await.unwrap_err();
    // The kept copy of `Precious(1)` is `Precious(0)`, which cannot be copied.
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(told.stops(), [(1, StopReason::NotReplayable)]);
}

/// RT-06: each attempt gets the same request.
#[tokio::test]
async fn same_request() {
    let policy = quick(3).build().unwrap();
    let (mut service, mut handle) = mock::spawn_layer::<String, (), _>(policy.layer());
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("hello".into()));
    for _ in 0..3 {
        assert_pending!(call.poll());
        let (request, respond) = handle.next_request().await.unwrap();
        assert_eq!(request, "hello");
        respond.send_error("no");
    }
    assert_ready_err!(call.poll());
}

/// RT-07: each retry drives the inner service's `poll_ready` first, and waits for it.
#[tokio::test]
async fn readiness_before_each_retry() {
    let policy = quick(3).build().unwrap();
    let (mut service, mut handle) = mock::spawn_layer::<u32, u32, _>(policy.layer());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(7));
    assert_pending!(call.poll());
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_error("first");

    // The service is not ready: there is no second call, even after a long time.
    assert_pending!(call.poll());
    assert_pending!(task::spawn(handle.next_request()).poll());

    // It becomes ready: the task is woken, and the call is made.
    handle.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, 7);
    respond.send_response(8);
    assert_eq!(assert_ready!(call.poll()).unwrap(), 8);
}

/// RT-07: while a retry waits for readiness, the service itself can be made ready and called by others.
#[tokio::test]
async fn retries_do_not_hold_the_service() {
    let policy = quick(2).build().unwrap();
    let (mut service, mut handle) = mock::spawn_layer::<u32, u32, _>(policy.layer());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut first = task::spawn(service.call(1));
    handle.next_request().await.unwrap().1.send_error("no");
    assert_pending!(first.poll());

    handle.allow(2);
    assert_ready_ok!(service.poll_ready());
    let mut second = task::spawn(service.call(2));
    let (request, _not_answered) = handle.next_request().await.unwrap();
    assert_eq!(request, 2);
    assert_pending!(second.poll());
    assert_pending!(first.poll());
    let (request, _not_answered) = handle.next_request().await.unwrap();
    assert_eq!(request, 1);
}

/// RT-07: an error of the inner service's `poll_ready` goes to the caller, before the first attempt and before a later
/// one.
#[tokio::test]
async fn readiness_fails() {
    let told = Told::default();
    let policy = told.by(quick(5)).build().unwrap();
    let (mut service, mut handle) = mock::spawn_layer::<u32, u32, _>(policy.layer());
    handle.send_error("early");
    assert_eq!(assert_ready_err!(service.poll_ready()).to_string(), "early");
    assert_eq!(told.take(), []);

    let (mut service, mut handle) = mock::spawn_layer::<u32, u32, _>(policy.layer());
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(7));
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_error("first");
    handle.send_error("gone");
    assert_eq!(assert_ready_err!(call.poll()).to_string(), "gone");
    assert_eq!(told.stops(), [(1, StopReason::NotReady)]);
}

/// Counts how many instances there are.
#[derive(Debug)]
struct Held(Arc<()>);

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("held")
    }
}

/// A failed attempt is over before the wait for the next one: neither its future nor its result is kept.
#[tokio::test(start_paused = true)]
async fn attempts_let_go_before_the_wait() {
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let attempt = move || {
        let held = weak.upgrade().expect("still there");
        let mut polled = false;
        // The future holds one until it is dropped, and the error another.
        std::future::poll_fn(move |_| match std::mem::replace(&mut polled, true) {
            false => Poll::Pending,
            true => Poll::Ready(Err::<(), _>(Held(Arc::clone(&held)))),
        })
    };
    let service = WrapErrorLayer::new().layer(service_fn(move |()| attempt()));
    let policy = quick(3).backoff(Backoff::constant(SECOND)).build().unwrap();
    let mut call = task::spawn(policy.layer().layer(service).oneshot(()));
    for _ in 0..2 {
        assert_pending!(call.poll());
        assert_eq!(Arc::strong_count(&held), 2);
        assert_pending!(call.poll());
        assert_eq!(Arc::strong_count(&held), 1);
        advance(SECOND).await;
    }
    assert_pending!(call.poll());
    let Error::Inner(error) = assert_ready_err!(call.poll()) else { panic!("not a rejection") };
    drop(call);
    assert_eq!(Arc::strong_count(&error.0), 2);
}

/// A service that always fails at once does not monopolise its thread, whatever the number of attempts.
#[tokio::test]
async fn endless_retries_let_others_run() {
    let policy = quick(u32::MAX).build().unwrap();
    let (service, calls) = Flaky::new(u32::MAX);
    let mut call = task::spawn(policy.layer().layer(service).oneshot(()));
    for polls in 1..5 {
        assert_pending!(call.poll());
        assert!(call.is_woken());
        assert_eq!(calls.load(Ordering::Relaxed), 32 * polls);
    }
}

/// If a service was made ready before it was cloned, the service itself is called.
#[tokio::test]
async fn the_ready_value_is_called() {
    let policy = quick(3).build().unwrap();
    let (service, calls) = Flaky::new(2);
    let mut service = policy.layer().layer(service);
    for round in [3, 4] {
        ServiceExt::<()>::ready(&mut service).await.unwrap();
        let idle = service.clone();
        assert_eq!(service.call(()).await.unwrap(), round);
        drop(idle);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}

/// A request that counts its clones.
#[derive(Debug, Default)]
struct Counted(Arc<std::sync::atomic::AtomicU32>);

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.0))
    }
}

/// RT-01: with a single attempt, no copy is made for another; otherwise one for each attempt.
#[tokio::test]
async fn copies() {
    for (attempts, clones) in [(1, 0), (2, 2), (3, 3)] {
        let request = Counted::default();
        let count = Arc::clone(&request.0);
        let service = quick(attempts).build().unwrap().layer().layer(Flaky::new(u32::MAX).0);
        service.oneshot(request).await.unwrap_err();
        assert_eq!(count.load(Ordering::Relaxed), clones);
    }
}
