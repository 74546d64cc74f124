use std::future::Ready;
use std::task::{Context, Poll};

use seaworthy::keyed::{KeyedBulkheadService, KeyedCircuitBreakerService};
use seaworthy::{
    BoxError, Bulkhead, CircuitBreaker, Keyed, Rejected, RetryPolicy, StackError, State, TimeoutLayer, Verdict,
};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::buffer::Buffer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use super::{IDLE, bulkhead, circuits, keys, template};
use crate::support::{MS, SECOND, advance, settle};

type Request = (&'static str, bool);

fn rejected(error: &BoxError) -> String {
    error.rejected().map_or_else(|| error.to_string(), Rejected::to_string)
}

/// Fails if the request says so.
fn backend(request: Request) -> Ready<Result<&'static str, BoxError>> {
    std::future::ready(if request.1 { Ok(request.0) } else { Err("down".into()) })
}

/// KY-08: each request goes through the circuit breaker of its key, and no other.
#[tokio::test(start_paused = true)]
async fn ky_08_by_key() {
    let hosts = circuits(10);
    let layer = hosts.layer(|request: &Request| request.0);
    let mut services = [layer.layer(service_fn(backend)), layer.clone().layer(service_fn(backend))];
    for (turn, (request, answer)) in [
        (("a", true), "a"),
        (("a", false), "down"),
        (("a", true), "circuit `hosts[a]` is open"),
        (("b", true), "b"),
        (("a", true), "circuit `hosts[a]` is open"),
    ]
    .into_iter()
    .enumerate()
    {
        let service = &mut services[turn % 2];
        let result = service.ready().await.unwrap().call(request).await;
        assert_eq!(result.map_or_else(|error| rejected(&error), str::to_string), answer, "turn {turn}");
    }
    advance(SECOND).await;
    let probe = services[0].ready().await.unwrap().call(("a", true)).await;
    assert_eq!((probe.unwrap(), hosts.get("a").state()), ("a", State::Closed));
    assert_eq!((keys(&hosts), services[0].keyed().len()), (vec!["a".into(), "b".into()], 2));
}

/// KY-08: a key may be computed from the request; a classifier says what counts.
#[tokio::test(start_paused = true)]
async fn ky_08_made_keys_and_classifiers() {
    let shards: Keyed<u32, CircuitBreaker> = template().keyed().build().unwrap();
    let classifier = |result: &Result<u32, BoxError>| match result {
        Ok(0..10) => Verdict::Success,
        _ => Verdict::Failure,
    };
    let layer = shards.layer_owned(|request: &u32| request % 3).classify(classifier);
    let mut service = layer.layer(service_fn(async |request: u32| Ok(request)));
    for (request, passes) in [(9, true), (12, true), (9, false), (10, true), (1, false), (8, true)] {
        assert_eq!(service.ready().await.unwrap().call(request).await.is_ok(), passes, "{request}");
    }
}

/// KY-08: `poll_ready` is the inner service's, whatever the circuits' states; its error belongs to no key. A rejected
/// call leaves the inner service untouched, and as ready as it was.
#[tokio::test(start_paused = true)]
async fn ky_08_readiness_is_the_inner_services() {
    let hosts = circuits(10);
    settle(&hosts.get("ill"), &[Verdict::Failure]);
    let (inner, mut handle) = mock::pair::<&'static str, &'static str>();
    let mut service = task::spawn(hosts.layer(|request: &&'static str| *request).layer(inner));
    handle.allow(0);
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    let mut call = task::spawn(service.call("ill"));
    assert_eq!(rejected(&assert_ready_err!(call.poll())), "circuit `hosts[ill]` is open");
    assert_pending!(handle.poll_request());
    // The readiness is kept for the next call.
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
    let mut call = task::spawn(service.call("well"));
    assert_pending!(call.poll());
    handle.next_request().await.unwrap().1.send_response("fine");
    assert_eq!(assert_ready_ok!(call.poll()), "fine");
    handle.send_error("broken");
    let error = assert_ready_err!(service.enter(|cx, mut service| service.poll_ready(cx)));
    assert_eq!(error.to_string(), "broken");
    let failures =
        hosts.handles().into_iter().map(|(_, circuit_breaker)| circuit_breaker.snapshot().counts.consecutive_failures);
    assert_eq!(failures.sum::<u32>(), 0);
}

/// KY-08: under a buffer, which an error of `poll_ready` would end.
#[tokio::test(start_paused = true)]
async fn ky_08_under_a_buffer() {
    let hosts = circuits(10);
    let mut buffer = Buffer::new(hosts.layer(|request: &Request| request.0).layer(service_fn(backend)), 4);
    buffer.ready().await.unwrap().call(("a", false)).await.unwrap_err();
    for _ in 0..10 {
        let error = buffer.ready().await.unwrap().call(("a", true)).await.unwrap_err();
        assert_eq!(rejected(&error), "circuit `hosts[a]` is open");
        assert_eq!(buffer.ready().await.unwrap().call(("b", true)).await.unwrap(), "b");
    }
}

/// KY-02, KY-08: a call holds its circuit breaker: dropped, panicking or late, it is settled with the very one that
/// admitted it.
#[tokio::test(start_paused = true)]
async fn ky_02_a_call_holds_its_circuit() {
    let hosts = circuits(1);
    let inner = service_fn(async |request: Request| match request.1 {
        true => std::future::pending::<Result<(), BoxError>>().await,
        false => panic!("on purpose"),
    });
    let mut service = task::spawn(hosts.layer(|request: &Request| request.0).layer(inner));
    let mut call = task::spawn(service.call(("a", true)));
    assert_pending!(call.poll());
    for _ in 0..4 {
        advance(IDLE).await;
        hosts.evict_idle();
    }
    assert!(super::is_overflow(&hosts.get("b")));
    assert_eq!(keys(&hosts), ["a"]);
    drop(call);
    advance(MS).await;
    assert!(!super::is_overflow(&hosts.get("b")));
    let mut call = task::spawn(service.call(("b", false)));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.poll().is_ready())).is_err());
    assert_eq!(hosts.find("b").map(|circuit_breaker| circuit_breaker.state()), Some(State::Open));
}

/// KY-08: a panic in the inner service's `call` is a failure of the key.
#[tokio::test(start_paused = true)]
async fn ky_08_panic_in_call() {
    let hosts = circuits(10);
    let inner = service_fn(|_: Request| -> Ready<Result<(), BoxError>> { panic!("on purpose") });
    let mut service = hosts.layer(|request: &Request| request.0).layer(inner);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(service.call(("a", true))))).is_err());
    assert_eq!((hosts.get("a").state(), hosts.get("b").state()), (State::Open, State::Closed));
}

/// KY-09: each request takes a permit from its key's bulkhead, released at the end; the others are not affected.
#[tokio::test(start_paused = true)]
async fn ky_09_slots_by_key() {
    let tenants = bulkhead(10);
    let (inner, mut backend) = mock::pair::<u32, ()>();
    let mut service = task::spawn(tenants.layer_owned(|request: &u32| request % 10).layer(inner));
    let mut ask = |request| {
        assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
        task::spawn(service.call(request))
    };
    let (mut first, mut second, mut other) = (ask(1), ask(11), ask(2));
    assert_pending!(first.poll());
    assert_eq!(rejected(&assert_ready_err!(second.poll())), "bulkhead `tenants[1]` is full");
    assert_pending!(other.poll());
    backend.next_request().await.unwrap().1.send_response(());
    assert_ready_ok!(first.poll());
    assert_eq!((tenants.get(&1).in_use(), tenants.get(&2).in_use()), (0, 1));
    drop(other);
    assert_eq!(tenants.get(&2).in_use(), 0);
}

/// Insists on being made ready, on the value that is called.
#[derive(Debug, Default)]
struct Strict(bool);

impl Clone for Strict {
    fn clone(&self) -> Strict {
        Strict(false)
    }
}

impl Service<u32> for Strict {
    type Response = u32;
    type Error = BoxError;
    type Future = Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.0), "called without being ready");
        std::future::ready(Ok(request))
    }
}

/// KY-09: a call that waits for a permit holds no readiness, and makes a clone ready once it has one.
#[tokio::test(start_paused = true)]
async fn ky_09_waiting() {
    let builder = Bulkhead::builder("tenants").limit(1).max_wait(SECOND);
    let tenants: Keyed<u32, Bulkhead> = builder.keyed().idle(IDLE).build().unwrap();
    let mut service = tenants.layer_owned(|request: &u32| *request).layer(Strict::default());
    let permit = tenants.get(&7).try_acquire().unwrap();
    let mut waits = task::spawn(service.ready().await.unwrap().call(7));
    assert_pending!(waits.poll());
    assert_eq!(tenants.get(&7).queued(), 1);
    assert!(!service.get_ref().0, "what was made ready was given up");
    assert_eq!(service.ready().await.unwrap().call(8).await.unwrap(), 8);
    drop(permit);
    assert!(waits.is_woken());
    assert_eq!(assert_ready_ok!(waits.poll()), 7);
    // One that waits in vain.
    let _permit = tenants.get(&7).try_acquire().unwrap();
    let mut waits = task::spawn(service.ready().await.unwrap().call(7));
    assert_pending!(waits.poll());
    advance(SECOND).await;
    assert_eq!(rejected(&assert_ready_err!(waits.poll())), "bulkhead `tenants[7]` is full");
}

/// KY-08, KY-09: both in a whole stack, each by its own key.
#[tokio::test(start_paused = true)]
async fn ky_08_in_a_stack() {
    let (hosts, tenants) = (circuits(10), bulkhead(10));
    let retry = RetryPolicy::builder("retry").attempts(2).random_seed(7).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(retry.layer())
        .layer(hosts.layer(|request: &Request| request.0))
        .layer(tenants.layer_owned(|request: &Request| request.0.len() as u32))
        .layer(TimeoutLayer::new(SECOND / 100))
        .service(service_fn(backend));
    assert_eq!(service.clone().oneshot(("a", true)).await.unwrap(), "a");
    let permit = tenants.get(&2).try_acquire().unwrap();
    let error = service.clone().oneshot(("bb", true)).await.unwrap_err();
    // Full: that says nothing about the host.
    assert_eq!(rejected(&error), "bulkhead `tenants[2]` is full");
    assert_eq!(hosts.get("bb").state(), State::Closed);
    drop(permit);
    // The first attempt opens the circuit, which rejects the second.
    let error = service.clone().oneshot(("bb", false)).await.unwrap_err();
    assert_eq!(rejected(&error), "circuit `hosts[bb]` is open");
    assert_eq!(service.oneshot(("a", true)).await.unwrap(), "a");
    assert!(tenants.handles().into_iter().all(|(_, bulkhead)| bulkhead.in_use() == 0));
}

/// The services ask only for the traits they need, and their `Debug` shows what is in them.
#[test]
fn parts() {
    let mut breaker: KeyedCircuitBreakerService<u8, _, _> = circuits(1).layer(|request: &Request| request.0).layer(7);
    let mut bulkhead: KeyedBulkheadService<u8, _, _> = bulkhead(1).layer_owned(|request: &u32| *request).layer(7);
    *breaker.get_mut() += 1;
    *bulkhead.get_mut() += 1;
    assert_eq!((*breaker.get_ref(), *bulkhead.clone().get_ref()), (8, 8));
    assert!(format!("{breaker:?}").contains("inner: 8"));
    assert_eq!((breaker.clone().into_inner(), bulkhead.into_inner()), (8, 8));
}
