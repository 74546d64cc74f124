//! Permits that are passed to the call, and when the others are released.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use seaworthy::bulkhead::Permit;
use seaworthy::observe::{RetryEvent, TimeoutEvent};
use seaworthy::policy::Class;
use seaworthy::{Event, State};
use tokio_test::task::spawn;
use tower::Service;

use super::backend::Readiness;
use super::*;
use crate::support::advance;

fn in_use(policy: &Policy) -> u32 {
    policy.bulkhead().unwrap().in_use()
}

/// BH-06, PO-03: a permit passed to the call is held as long as whatever it was put into, and released once.
#[tokio::test(start_paused = true)]
async fn bh_06_a_slot_for_longer() {
    let policy = builder().bulkhead(|bulkhead| bulkhead.limit(2)).build().unwrap();
    let open = || policy.with(Class::new()).run_with_permit(async |permit| Ok::<_, BoxError>(permit));
    let (first, second) = (open().await.unwrap(), open().await.unwrap());
    assert_eq!((first.is_some(), second.is_some(), in_use(&policy)), (true, true, 2));
    assert!(open().await.is_err_and(|error| error.rejected() == full().as_ref()));
    drop(first);
    assert_eq!((in_use(&policy), policy.bulkhead().unwrap().available()), (1, 1));
    drop(second);
    assert_eq!((in_use(&policy), policy.bulkhead().unwrap().available()), (0, 2));
    // A call that does not keep it releases it with its future; the circuit breaker has counted all of them.
    policy.with(Class::new()).run_with_permit(async |_| Ok::<_, BoxError>(())).await.unwrap();
    assert_eq!((in_use(&policy), policy.circuit_breaker().unwrap().state()), (0, State::Closed));
}

/// PO-04, PO-03: there is none if there is no bulkhead, or none on the way.
#[tokio::test(start_paused = true)]
async fn po_04_no_slot() {
    let (with, without) = (builder().build().unwrap(), Policy::builder("none").build().unwrap());
    for (policy, class) in [(&with, Class::new().without_bulkhead()), (&without, Class::new())] {
        let permit = policy.with(class).run_with_permit(async |permit| Ok::<_, BoxError>(permit)).await.unwrap();
        assert!(permit.is_none());
    }
    assert_eq!(in_use(&with), 0);
}

/// BH-06: each attempt has its own permit, which is free before the wait for the next; also after a panic, a timeout
/// and a drop.
#[tokio::test(start_paused = true)]
async fn bh_06_however_it_ends() {
    let policy = with_retry(2).build().unwrap();
    let seen = Mutex::new(Vec::new());
    let run = |request: Do| {
        let (policy, seen) = (&policy, &seen);
        policy.with(Class::new()).run_with_permit(move |permit: Option<Permit>| async move {
            seen.lock().unwrap().push((permit.is_some(), in_use(policy)));
            Backend::default().ask(request).await.map(|_| permit)
        })
    };
    let mut fails = spawn(run(Do::Fail));
    assert!(fails.poll().is_pending());
    assert_eq!(in_use(&policy), 0, "it waits for its second attempt");
    drop(fails);
    assert!(run(Do::Fail).await.is_err());
    assert_eq!(in_use(&policy), 0);
    policy.circuit_breaker().unwrap().reset();
    assert!(catch_unwind(AssertUnwindSafe(|| spawn(run(Do::Panic)).poll())).is_err());
    assert_eq!((in_use(&policy), failures(&policy)), (0, 1));
    assert!(run(Do::Hang).await.is_err_and(|error| error.rejected() == timed_out().as_ref()));
    assert_eq!((in_use(&policy), policy.circuit_breaker().unwrap().state()), (0, State::Open));
    policy.circuit_breaker().unwrap().reset();
    let mut hangs = spawn(run(Do::Hang));
    assert!(hangs.poll().is_pending());
    assert_eq!(in_use(&policy), 1);
    drop(hangs);
    assert_eq!(in_use(&policy), 0);
    assert!(seen.lock().unwrap().iter().all(|seen| *seen == (true, 1)));
}

/// TO-01, BH-06: when the time is over, the inner future is dropped first, while its permit is still held; then the
/// observer is notified, and then the permit is released.
#[tokio::test(start_paused = true)]
async fn to_01_dropped_then_told() {
    struct Witness(Arc<Mutex<Vec<&'static str>>>);

    impl Drop for Witness {
        fn drop(&mut self) {
            self.0.lock().unwrap().push("dropped");
        }
    }

    let lines = Arc::<Mutex<Vec<&'static str>>>::default();
    let (told, seen) = (Arc::clone(&lines), Arc::clone(&lines));
    let policy = builder().observer(move |event: &Event<'_>| {
        if let Event::Timeout(TimeoutEvent::TimedOut { .. }) = event {
            told.lock().unwrap().push("told");
        }
    });
    let policy = policy.build().unwrap();
    let hang = move || {
        let witness = Witness(Arc::clone(&seen));
        async move {
            let _held = witness;
            std::future::pending::<Result<(), BoxError>>().await
        }
    };
    let service = policy.layer().layer(tower::service_fn({
        let hang = hang.clone();
        move |()| hang()
    }));
    let (mut layer, mut run) =
        (spawn(service.oneshot(())), spawn(policy.with(Class::new().without_bulkhead()).run(hang)));
    assert!(layer.poll().is_pending() && run.poll().is_pending());
    advance(ATTEMPT + MS).await;
    // The futures still exist when this is checked.
    assert!(layer.poll().is_ready());
    assert_eq!((std::mem::take(&mut *lines.lock().unwrap()), in_use(&policy)), (vec!["dropped", "told"], 0));
    assert!(run.poll().is_ready());
    assert_eq!(*lines.lock().unwrap(), ["dropped", "told"]);
}

/// BH-06, CB-02: a call that waited for its permit, and then found that the backend fails to become ready, has released
/// the permit before its caller gets the error, which counts as a failure.
#[tokio::test(start_paused = true)]
async fn bh_06_not_ready_after_the_wait() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    for without_retry in [false, true] {
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        let mut call = spawn(
            match without_retry {
                true => tower::util::BoxCloneService::new(policy.layer().without_retry().layer(backend.clone())),
                false => tower::util::BoxCloneService::new(policy.layer().layer(backend.clone())),
            }
            .oneshot(Do::Answer),
        );
        assert!(call.poll().is_pending());
        backend.set_readiness(Readiness::Pending);
        drop(permit);
        assert!(call.poll().is_pending());
        assert_eq!(in_use(&policy), 1, "it has its permit");
        backend.set_readiness(Readiness::Fails);
        assert!(matches!(call.poll(), std::task::Poll::Ready(Err(_))));
        // The future still exists.
        assert_eq!((in_use(&policy), failures(&policy), backend.calls()), (0, 1, 0));
        drop(call);
        assert_eq!(policy.bulkhead().unwrap().available(), 1);
        policy.circuit_breaker().unwrap().reset();
        backend.set_readiness(Readiness::Ready);
    }
}

/// BH-05, CB-19: a service that was ready and no longer is is not called without being asked again, even if in between
/// `poll_ready` was ready for another reason.
#[tokio::test(start_paused = true)]
async fn bh_05_readiness_that_was_lost() {
    for circuit_breaker in [false, true] {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let mut service = policy.layer().layer(backend.clone());
        let poll_ready = |service: &mut _| spawn(()).enter(|cx, _| Service::<Do>::poll_ready(service, cx));
        assert!(poll_ready(&mut service).is_ready());
        backend.set_readiness(Readiness::Pending);
        assert!(poll_ready(&mut service).is_pending());
        let mut permit = None;
        match circuit_breaker {
            true => policy.circuit_breaker().unwrap().force_open(),
            false => permit = policy.bulkhead().unwrap().try_acquire().ok(),
        }
        assert!(poll_ready(&mut service).is_ready(), "to reject, or to wait");
        drop(permit);
        policy.circuit_breaker().unwrap().reset();
        backend.set_readiness(Readiness::Ready);
        let answer = service.call(Do::Answer).await;
        match circuit_breaker {
            true => assert!(rejected(answer).is_some(), "as it was told by `poll_ready`"),
            false => assert_eq!(answer.unwrap(), "fine"),
        }
    }
}

/// PO-04, PO-03: a layer for one class uses that class in `poll_ready`, too.
#[tokio::test(start_paused = true)]
async fn po_04_readiness_by_class() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    policy.circuit_breaker().unwrap().force_open();
    let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
    backend.set_readiness(Readiness::Pending);
    let pending = |class| {
        let mut service = policy.layer().class(class).layer(backend.clone());
        spawn(()).enter(|cx, _| Service::<Do>::poll_ready(&mut service, cx)).is_pending()
    };
    assert!(!pending(Class::new()), "it is ready to reject");
    assert!(!pending(Class::new().without_circuit_breaker()), "it is ready to wait for a permit");
    assert!(pending(Class::bare()), "nothing is in the way but the backend");
}

/// PO-03: using the inner service directly may use up its readiness; the next call does not rely on it.
#[tokio::test(start_paused = true)]
async fn po_03_get_mut() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    let mut service = policy.layer().layer(backend.clone());
    assert!(spawn(()).enter(|cx, _| Service::<Do>::poll_ready(&mut service, cx)).is_ready());
    service.get_mut().call(Do::Answer).await.unwrap();
    assert_eq!(service.call(Do::Answer).await.unwrap(), "fine");
    assert_eq!(backend.calls(), 2);
}

/// RT-02: the result of a failed attempt is dropped before the wait.
#[tokio::test(start_paused = true)]
async fn rt_02_let_go_before_the_wait() {
    let policy = Policy::builder("compute").retry(|retry| retry.attempts(2).backoff(Backoff::constant(PAUSE)));
    let (policy, held) = (policy.build().unwrap(), Arc::new(()));
    let answer = || std::future::ready(Ok::<_, BoxError>(Arc::clone(&held)));
    let again = |_: &Result<Arc<()>, BoxError>| true;
    let all = policy.retry_if(again);
    let mut run = spawn(all.run(answer));
    let mut layer = spawn(policy.layer().retry_if(again).layer(tower::service_fn(|()| answer())).oneshot(()));
    assert!(run.poll().is_pending() && layer.poll().is_pending());
    assert_eq!(Arc::strong_count(&held), 1);
    advance(PAUSE + MS).await;
    assert!(run.poll().is_ready() && layer.poll().is_ready());
}

/// RT-01: with a single attempt no copy of the request is made, or held.
#[tokio::test(start_paused = true)]
async fn rt_01_one_attempt_copies_nothing() {
    for (attempts, copies) in [(1, 1), (2, 2)] {
        let policy = Policy::builder("compute").retry(|retry| retry.attempts(attempts)).build().unwrap();
        let request = Arc::new(());
        let inner = tower::service_fn(async |request: Arc<()>| {
            std::future::pending::<Result<(), BoxError>>().await.map(|()| request)
        });
        let mut call = spawn(policy.layer().layer(inner).oneshot(Arc::clone(&request)));
        assert!(call.poll().is_pending());
        assert_eq!(Arc::strong_count(&request), 1 + copies);
    }
}

/// RT-07: a retry for which the backend fails to become ready was never made: its caller gets that error, and the
/// observer sees only the attempts that were made.
#[tokio::test(start_paused = true)]
async fn rt_07_not_ready_for_another_attempt() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&lines);
    let policy = with_retry(5).observer(move |event: &Event<'_>| {
        if let Event::Retry(RetryEvent::Stopped { attempts, reason, error, .. }) = event {
            told.lock().unwrap().push(format!("{attempts} {reason}: {}", error.unwrap()));
        }
    });
    let (policy, backend) = (policy.build().unwrap(), Backend::default());
    let mut call = spawn(policy.layer().layer(backend.clone()).oneshot(Do::Fail));
    assert!(call.poll().is_pending());
    backend.set_readiness(Readiness::Fails);
    advance(PAUSE + MS).await;
    assert!(matches!(call.poll(), std::task::Poll::Ready(Err(error)) if error.to_string() == "not to be reached"));
    assert_eq!((backend.calls(), lines.lock().unwrap().concat()), (1, "1 not ready: not to be reached".to_owned()));
    // Both count: the failed call, and the failed readiness.
    assert_eq!((failures(&policy), in_use(&policy)), (2, 0));
}
