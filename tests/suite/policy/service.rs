//! The service among tower's own middleware, and how it follows the contract of `poll_ready` and `call`.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::ready;
use std::task::Poll;

use seaworthy::policy::{Class, OnceFuture, PolicyCall, PolicyLayer, PolicyService, ResponseFuture, Snapshot};
use seaworthy::{Error, Policies, PolicyError, State, WrapErrorLayer};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::buffer::Buffer;
use tower::load_shed::LoadShed;
use tower::{Service, ServiceBuilder, service_fn};
use tower_test::mock;

use super::*;
use crate::support::advance;

assert_impl_all!(Policy: Clone, std::fmt::Debug, Send, Sync, Unpin);
assert_impl_all!(PolicyBuilder: Clone, std::fmt::Debug, Send, Sync);
assert_impl_all!(Policies: Clone, std::fmt::Debug, Default, Send, Sync);
assert_impl_all!(PolicyError: std::error::Error, Clone, Eq, Send, Sync, Into<BoxError>);
assert_impl_all!(Class: Copy, std::fmt::Debug, Default, Eq, std::hash::Hash, Send, Sync);
assert_impl_all!(Snapshot: Copy, std::fmt::Debug, PartialEq, Send, Sync);
assert_impl_all!(PolicyCall<'static>: Copy, std::fmt::Debug, Send, Sync);
assert_impl_all!(PolicyLayer: Clone, std::fmt::Debug, Send, Sync, Layer<Backend>);
assert_impl_all!(PolicyService<Backend>: Service<Do>, Clone, std::fmt::Debug, Send, Unpin);
// A service has the traits of its inner service.
assert_not_impl_any!(PolicyService<std::rc::Rc<()>>: Send, Sync);
assert_impl_all!(PolicyService<Cell<u8>>: Send);
type Answer = Result<&'static str, BoxError>;
type Pending = std::future::Pending<Answer>;
assert_impl_all!(OnceFuture<Pending, Backend, Do, seaworthy::ErrorClassifier>: Send, Unpin, std::fmt::Debug);
assert_not_impl_any!(OnceFuture<std::marker::PhantomPinned, Backend, Do, seaworthy::ErrorClassifier>: Unpin);
assert_impl_all!(<PolicyService<Backend> as Service<Do>>::Future: Future, Send, std::fmt::Debug);

/// The futures of the handle have the traits of the future inside.
#[test]
fn po_03_run_is_send() {
    fn is_send<T: Send>(_: &T) {}
    fn is_static<T: 'static>(_: &T) {}
    let policy = with_retry(2).build().unwrap();
    is_send(&policy.run(|| async { Ok::<_, BoxError>(Cell::new(1)) }));
    is_static(&policy.layer().layer(Backend::default()));
    let _: Option<ResponseFuture<Backend, Do, (), (), seaworthy::retry::CloneReplay>> = None;
}

/// PO-03: a typed stack whose service cannot fail, both ways, with the service's own error type.
#[tokio::test(start_paused = true)]
async fn po_03_the_error_type_is_kept() {
    let policy = builder().build().unwrap();
    let inner = service_fn(|()| ready(Ok::<_, Infallible>(7)));
    let mut service = ServiceBuilder::new().layer(policy.layer()).layer(WrapErrorLayer::new()).service(inner);
    assert_eq!(service.ready().await.unwrap().call(()).await, Ok(7));
    assert_eq!(policy.run(|| ready(Ok::<_, Error<Infallible>>(7))).await, Ok(7));
    policy.circuit_breaker().unwrap().force_open();
    let open = Rejected::CircuitOpen { name: "compute".into(), retry_after: None.into() };
    assert_eq!(service.ready().await.unwrap().call(()).await, Err(Error::Rejected(open.clone())));
    assert_eq!(policy.run(|| ready(Ok::<u8, Error<Infallible>>(7))).await, Err(Error::Rejected(open)));
}

/// PO-03: without retries the request need not be `Clone`, nor the error printable.
#[tokio::test(start_paused = true)]
async fn po_05_without_retry_asks_for_less() {
    struct Silent(Option<Rejected>);

    impl From<Rejected> for Silent {
        fn from(rejected: Rejected) -> Silent {
            Silent(Some(rejected))
        }
    }

    impl StackError for Silent {
        fn rejected(&self) -> Option<&Rejected> {
            self.0.as_ref()
        }
    }

    struct NotClone;
    let policy = with_retry(3).build().unwrap();
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = calls.clone();
    let inner = service_fn(move |_: NotClone| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ready(Err::<(), _>(Silent(None)))
    });
    let service = ServiceBuilder::new().layer(policy.layer().without_retry()).service(inner);
    assert!(service.clone().oneshot(NotClone).await.is_err_and(|error| error.rejected().is_none()));
    // The policy's retries are not asked.
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
    policy.circuit_breaker().unwrap().force_open();
    assert!(service.oneshot(NotClone).await.is_err_and(|error| error.rejected().is_some()));
}

/// BH-05, CB-19: a service that is ready but idle holds neither a permit nor a probe.
#[tokio::test(start_paused = true)]
async fn ready_and_idle() {
    let policy = builder().build().unwrap();
    let mut busy = policy.layer().layer(Backend::default());
    let mut idle = busy.clone();
    for service in [&mut busy, &mut idle] {
        service.ready().await.unwrap();
    }
    assert_eq!(policy.bulkhead().unwrap().available(), 1);
    assert_eq!(busy.call(Do::Answer).await.unwrap(), "fine");
    assert_eq!(idle.call(Do::Answer).await.unwrap(), "fine");
    trip(&policy);
    advance(OPEN).await;
    for service in [&mut busy, &mut idle] {
        service.ready().await.unwrap();
    }
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open);
    assert_eq!(idle.call(Do::Answer).await.unwrap(), "fine");
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed);
}

/// CB-10: of many calls at the end of the open time exactly one is the probe; other users of the bulkhead do not hold
/// it up, and the others are rejected.
#[tokio::test(start_paused = true)]
async fn half_open_is_single_flight() {
    for way in WAYS {
        let policy = builder().bulkhead(|bulkhead| bulkhead.limit(10)).build().unwrap();
        let backend = Backend::default();
        trip(&policy);
        advance(OPEN).await;
        let mut calls: Vec<_> = (0..6).map(|_| task::spawn(way.ask(&policy, &backend, Do::AnswerAfter(MS)))).collect();
        let (probe, others) = calls.split_first_mut().unwrap();
        assert_pending!(probe.poll());
        for other in others {
            let rejection = rejected(tokio_test::assert_ready!(other.poll()));
            assert_eq!(
                rejection,
                Some(Rejected::CircuitOpen { name: "compute".into(), retry_after: None.into() }),
                "{way:?}"
            );
        }
        assert_eq!((backend.calls(), policy.bulkhead().unwrap().in_use()), (1, 1), "{way:?}");
        advance(2 * MS).await;
        assert!(tokio_test::assert_ready!(probe.poll()).is_ok());
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed, "{way:?}");
    }
}

/// CB-19: a service that was ready to reject does so even if the circuit has closed: its inner service was never asked.
#[tokio::test(start_paused = true)]
async fn ready_to_reject() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    trip(&policy);
    let mut service = policy.layer().layer(backend.clone());
    service.ready().await.unwrap();
    policy.circuit_breaker().unwrap().reset();
    assert_eq!(rejected(service.call(Do::Answer).await), circuit_open(OPEN));
    assert_eq!(backend.calls(), 0);
    assert_eq!(service.ready().await.unwrap().call(Do::Answer).await.unwrap(), "fine");
}

/// CB-18: an error of the inner service's `poll_ready` counts once, and is passed on; readiness is the inner service's.
#[tokio::test(start_paused = true)]
async fn readiness_is_the_inner_services() {
    let policy = builder().build().unwrap();
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    handle.allow(0);
    let mut service = task::spawn(policy.layer().layer(inner));
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    handle.send_error("broken");
    assert_ready_err!(service.enter(|cx, mut service| service.poll_ready(cx)));
    assert_eq!(failures(&policy), 1);
}

/// CB-08: an open circuit neither ends a buffer nor looks like overload, and both work again afterwards.
#[tokio::test(start_paused = true)]
async fn under_a_buffer_and_load_shed() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    let mut buffer = Buffer::new(policy.layer().layer(backend.clone()), 4);
    let mut shed = LoadShed::new(policy.layer().layer(backend.clone()));
    trip(&policy);
    for _ in 0..3 {
        let error = buffer.ready().await.unwrap().call(Do::Answer).await.unwrap_err();
        assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })), "{error}");
        let error = shed.ready().await.unwrap().call(Do::Answer).await.unwrap_err();
        assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })), "{error}");
    }
    advance(OPEN).await;
    assert_eq!(buffer.ready().await.unwrap().call(Do::Answer).await.unwrap(), "fine");
    assert_eq!(shed.ready().await.unwrap().call(Do::Answer).await.unwrap(), "fine");
    assert_eq!(backend.calls(), 2);
}

/// BH-06, CB-16: the poll that panics releases the permit, and the panic is a failure, whether in the call or in its
/// future; the executor drops the future much later.
#[tokio::test(start_paused = true)]
async fn panics() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    for (number, way) in WAYS.into_iter().enumerate() {
        let mut call = task::spawn(way.ask(&policy, &backend, Do::Panic));
        assert!(catch_unwind(AssertUnwindSafe(|| call.poll())).is_err());
        assert_eq!((policy.bulkhead().unwrap().available(), failures(&policy)), (1, number as u32 + 1), "{way:?}");
        drop(call);
        assert_eq!((policy.bulkhead().unwrap().available(), failures(&policy)), (1, number as u32 + 1), "{way:?}");
    }
    // In the closure, and in the service's `call`.
    policy.circuit_breaker().unwrap().reset();
    let mut call = task::spawn(policy.run(|| -> std::future::Ready<Answer> { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(|| call.poll())).is_err());
    assert_eq!((policy.bulkhead().unwrap().available(), failures(&policy)), (1, 1));
    let mut service = policy.layer().layer(service_fn(|(): ()| -> std::future::Ready<Answer> { panic!("on purpose") }));
    service.ready().await.unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(())))).is_err());
    assert_eq!((policy.bulkhead().unwrap().available(), failures(&policy)), (1, 2));
}

/// A custom classifier, and a decision about retries, both ways.
#[tokio::test(start_paused = true)]
async fn classifiers_and_decisions() {
    let fine = |_: &Answer| Verdict::Success;
    let never = |_: &Answer| false;
    let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
    let service = policy.layer().classify(fine).retry_if(never).layer(backend.clone());
    service.oneshot(Do::Fail).await.unwrap_err();
    let classified = policy.classify(fine).retry_if(never);
    classified.run(|| backend.ask(Do::Fail)).await.unwrap_err();
    assert_eq!((failures(&policy), backend.calls()), (0, 2));
    // A request that cannot be copied is sent once.
    let layer = policy.layer().replay(|_: &Do| None::<Do>);
    layer.layer(backend.clone()).oneshot(Do::Fail).await.unwrap_err();
    assert_eq!((failures(&policy), backend.calls()), (1, 3));
}

/// A future that has ended panics when it is polled again.
#[tokio::test(start_paused = true)]
async fn polled_after_the_end() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let policy = with_retry(2).build().unwrap();
    for open in [false, true] {
        if open {
            trip(&policy);
        }
        let mut service = policy.layer().layer(Backend::default());
        let mut call = task::spawn(service.ready().await.unwrap().call(Do::Answer));
        assert!(matches!(call.poll(), Poll::Ready(_)));
        assert!(catch_unwind(AssertUnwindSafe(|| call.poll())).is_err());
    }
}

/// BH-05: while a call waits for a permit, no readiness of the inner service is held, not even the one meant for it.
#[tokio::test(start_paused = true)]
async fn bh_05_readiness_is_given_up_while_waiting() {
    let policy = builder().build().unwrap();
    let inner = tower::limit::ConcurrencyLimit::new(Backend::default(), 1);
    let mut service = policy.layer().layer(inner.clone());
    let mut other = task::spawn(inner);
    service.ready().await.unwrap();
    assert_pending!(other.enter(|cx, mut other| other.poll_ready(cx)));
    let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
    let mut call = task::spawn(service.call(Do::Answer));
    assert_pending!(call.poll());
    assert_ready_ok!(other.enter(|cx, mut other| other.poll_ready(cx)));
    // It is made ready again once it has its permit.
    drop(permit);
    assert_pending!(call.poll());
    drop(other);
    assert!(call.is_woken());
    assert_eq!(tokio_test::assert_ready!(call.poll()).unwrap(), "fine");
}
