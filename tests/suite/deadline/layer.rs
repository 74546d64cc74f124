use seaworthy::{BoxError, Deadline, DeadlineLayer, DeadlineStage};
use tokio::time::{Duration, advance};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{MS, Told, stage};

type Seen = Result<Option<Deadline>, BoxError>;

/// A service that answers with the deadline that is current in `call` and in its future, which are the same.
fn see() -> impl Service<u64, Response = Option<Deadline>, Error = BoxError, Future: Send> + Clone {
    service_fn(|_: u64| {
        let in_call = Deadline::current();
        async move {
            tokio::task::yield_now().await;
            assert_eq!(Deadline::current(), in_call);
            Ok(in_call)
        }
    })
}

/// DL-03: each request has this much time from its arrival, which narrows what is there.
#[tokio::test(start_paused = true)]
async fn dl_03_each_request_has_its_own() {
    let service = ServiceBuilder::new().layer(DeadlineLayer::within(5 * MS)).service(see());
    let ready = service.clone();
    advance(MS).await;
    let now = Deadline::within(Duration::ZERO);
    assert!(now.has_passed());
    assert_eq!(ready.oneshot(0).await.unwrap(), Some(Deadline::within(5 * MS)));
    let (early, late) = (Deadline::within(2 * MS), Deadline::within(9 * MS));
    let seen: Seen = early.scope(service.clone().oneshot(0)).await;
    assert_eq!(seen.unwrap(), Some(early));
    let seen: Seen = late.scope(service.clone().oneshot(0)).await;
    assert_eq!(seen.unwrap(), Some(Deadline::within(5 * MS)));
    assert_eq!(Deadline::current(), None);
    let endless = ServiceBuilder::new().layer(DeadlineLayer::within(Duration::MAX)).service(see());
    assert_eq!(endless.oneshot(0).await.unwrap(), None);
}

/// DL-03: by request; without one of its own it has the one that is current.
#[tokio::test(start_paused = true)]
async fn dl_03_by_request() {
    let layer = DeadlineLayer::for_request(|millis: &u64| (*millis > 0).then(|| Deadline::within(*millis as u32 * MS)));
    let service = layer.layer(see());
    assert_eq!(service.clone().oneshot(7).await.unwrap(), Some(Deadline::within(7 * MS)));
    assert_eq!(service.clone().oneshot(0).await.unwrap(), None);
    let current = Deadline::within(3 * MS);
    let seen: Seen = current.scope(service.oneshot(0)).await;
    assert_eq!(seen.unwrap(), Some(current));
}

/// DL-04: what comes too late, or with too little time, is rejected on arrival, and the inner service is not called.
#[tokio::test(start_paused = true)]
async fn dl_04_too_late() {
    let told = Told::default();
    let layer = DeadlineLayer::for_request(|nanos: &u64| Some(Deadline::within(Duration::from_nanos(*nanos))));
    let layer = layer.least(2 * MS).unwrap().name("gate").unwrap().observer(told.clone());
    let calls = std::cell::Cell::new(0);
    let inner = service_fn(|_: u64| {
        calls.set(calls.get() + 1);
        async { Ok::<_, BoxError>(()) }
    });
    let service = layer.layer(inner);
    assert_eq!(stage(service.clone().oneshot(0).await), Some(DeadlineStage::Arrival));
    assert_eq!(stage(service.clone().oneshot(1_999_999).await), Some(DeadlineStage::Arrival));
    assert_eq!(calls.get(), 0);
    service.clone().oneshot(2_000_000).await.unwrap();
    assert_eq!(calls.get(), 1);
    let expected = ["arrived 0ns", "gate arrival 0ns", "arrived 1.999999ms", "gate arrival 0ns", "arrived 2ms"];
    assert_eq!(told.take(), expected);
    // The same for a deadline that was there before.
    let passed = Deadline::within(MS);
    advance(3 * MS).await;
    let endless = DeadlineLayer::within(Duration::MAX).observer(told.clone()).layer(inner);
    assert_eq!(stage(passed.scope(endless.oneshot(9)).await), Some(DeadlineStage::Arrival));
    assert_eq!((calls.get(), told.take().last().unwrap().as_str()), (1, " arrival 2ms"));
}

/// DL-04: bad settings are refused.
#[test]
fn dl_04_bad_settings() {
    let layer = DeadlineLayer::within(MS);
    assert_eq!(layer.clone().least(Duration::ZERO).unwrap_err().field(), "least");
    assert_eq!(layer.clone().name("").unwrap_err().field(), "name");
    let named = layer.name("gate").unwrap().least(Duration::ZERO).unwrap_err().to_string();
    assert_eq!(named, "deadline `gate`: least is 0ns, must be longer than zero");
}

/// `poll_ready` is the inner service's, whatever the deadline; a ready clone may sit idle past its time.
#[tokio::test(start_paused = true)]
async fn x_02_ready_and_idle() {
    let (mut mock, mut handle) = tower_test::mock::spawn_layer(DeadlineLayer::within(MS));
    handle.allow(0);
    tokio_test::assert_pending!(mock.poll_ready());
    handle.allow(1);
    tokio_test::assert_ready_ok!(mock.poll_ready());
    advance(10 * MS).await;
    let _response = mock.call(());
    let ((), send) = handle.next_request().await.expect("it was made: its time began with it");
    send.send_response(());
}
