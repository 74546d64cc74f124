use std::task::{Context, Poll};

use seaworthy::{BoxError, Event, Fallback, Rejected};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_test::mock;

use super::{Told, fell_back, full};

type Mock = mock::Mock<&'static str, &'static str>;

/// FB-06: `poll_ready` is the inner service's, its wake-ups and its error included, and the other service is not asked.
#[tokio::test]
async fn fb_06_readiness_is_the_inner_services() {
    let (inner, mut backend) = mock::pair::<&'static str, &'static str>();
    let (other, mut spare) = mock::pair::<&'static str, &'static str>();
    spare.allow(0);
    let layer = Fallback::service("spare", other).when(|_: &BoxError| true).build().unwrap();
    let mut service = task::spawn(layer.layer().layer(inner));
    backend.allow(0);
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    backend.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    backend.send_error("broken");
    let error = assert_ready_err!(service.enter(|cx, mut service| service.poll_ready(cx)));
    assert_eq!(error.to_string(), "broken");
}

/// FB-07: another service is made ready only when it is needed, waited for, and called once.
#[tokio::test]
async fn fb_07_another_service() {
    let told = Told::default();
    let (inner, mut backend) = mock::pair::<&'static str, &'static str>();
    let (other, mut spare) = mock::pair::<&'static str, &'static str>();
    spare.allow(0);
    let layer = told.by(Fallback::service("spare", other)).build().unwrap();
    let mut service = task::spawn(layer.layer().layer(inner));
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    let mut call = task::spawn(service.call("x"));
    assert_pending!(call.poll());
    let (request, answer) = backend.next_request().await.unwrap();
    assert_eq!(request, "x");
    answer.send_error(full());
    // It has failed, and the other service is not ready.
    assert_pending!(call.poll());
    assert_eq!(told.take(), [fell_back()]);
    assert!(format!("{call:?}").contains("answering"));
    spare.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (request, answer) = spare.next_request().await.unwrap();
    assert_eq!(request, "x");
    answer.send_response("spare");
    assert_eq!(assert_ready_ok!(call.poll()), "spare");
    // Neither is asked again, and there is one event.
    spare.allow(1);
    drop((call, service, layer));
    assert!(spare.next_request().await.is_none() && backend.next_request().await.is_none());
    assert!(told.take().is_empty());
}

/// FB-08: the fallback's own error goes to the caller, whether from its `poll_ready` or its response, and is not
/// covered again.
#[tokio::test]
async fn fb_08_the_last_error_wins() {
    for is_ready in [false, true] {
        let told = Told::default();
        let (other, mut spare) = mock::pair::<&'static str, &'static str>();
        let everything = told.by(Fallback::service("spare", other)).when(|_: &BoxError| true).build().unwrap();
        let mut service = everything.layer().layer(tower::service_fn(async |_: &'static str| Err(full())));
        let mut call = task::spawn(service.call("x"));
        if is_ready {
            assert_pending!(call.poll());
            spare
                .next_request()
                .await
                .unwrap()
                .1
                .send_error(Rejected::NotReady { reason: "spare".into(), retry_after: None.into() });
        } else {
            spare.send_error(Rejected::NotReady { reason: "spare".into(), retry_after: None.into() });
        }
        let error = assert_ready_err!(call.poll());
        assert!(error.to_string().contains("not ready: spare"), "{error}");
        assert_eq!(told.take(), [fell_back()]);
    }
}

/// Can only be made ready and called, and insists on that order.
#[derive(Debug, Default)]
struct Strict(bool);

impl Clone for Strict {
    fn clone(&self) -> Strict {
        Strict(false)
    }
}

impl Service<&'static str> for Strict {
    type Response = &'static str;
    type Error = BoxError;
    type Future = std::future::Ready<Result<&'static str, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: &'static str) -> Self::Future {
        assert!(std::mem::take(&mut self.0), "called without being ready");
        std::future::ready(if request == "fails" { Err(full()) } else { Ok(request) })
    }
}

/// FB-07: both services are called on a value that was made ready; a clone is not ready.
#[test]
fn fb_07_by_the_letter() {
    let layer = Fallback::service("spare", Strict::default()).build().unwrap();
    let mut service = task::spawn(layer.layer().layer(Strict::default()));
    for (request, fails) in [("x", false), ("fails", true)] {
        assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
        let mut call = task::spawn(service.call(request));
        match call.poll() {
            Poll::Ready(Ok(answer)) => assert_eq!((answer, fails), (request, false)),
            Poll::Ready(Err(error)) => assert!(fails && error.is::<Rejected>()),
            Poll::Pending => panic!("both are ready"),
        }
    }
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    let mut clone = service.clone();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(clone.call("x")))).is_err());
}

/// FB-07: an observer's panic affects nothing else, and a future that has ended panics if it is polled again.
#[test]
fn fb_07_told_by_a_broken_observer() {
    let layer = Fallback::value("spare", 7).observer(|_: &Event<'_>| panic!("on purpose")).build().unwrap();
    let mut call = task::spawn(layer.run(std::future::ready(Err::<_, BoxError>(full()))));
    assert_eq!(assert_ready_ok!(call.poll()), 7);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.poll().is_ready())).is_err());
}

/// In many a stack `Mock` is not `Sync`: the fallback asks for no more than the service does.
#[test]
fn a_mock_will_do() {
    fn is_service<S: Service<&'static str> + Clone + Send>(_: S) {}
    let (inner, _) = mock::pair::<&'static str, &'static str>();
    let (other, _): (Mock, _) = mock::pair();
    is_service(Fallback::service("spare", other).build().unwrap().layer().layer(inner));
}
