use std::time::Duration;

use seaworthy::{Backoff, BoxError, Bulkhead, CircuitBreaker, Rejected, RetryPolicy, State, Timeout, Verdict};
use seaworthy_ledger::{EntryState, Ledger};
use seaworthy_ledger::{IdempotencyError, IdempotencyLayer};
use tokio_test::{assert_pending, task};
use tower::buffer::BufferLayer;
use tower::load_shed::LoadShedLayer;
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::given::{KeyOf, Request, guarded, idempotency, inner, key_of, layer, ledger, row};
use crate::doubles::{Fault, Faulty};

struct Stack {
    ledger: Ledger<Faulty>,
    store: Faulty,
    of_store: CircuitBreaker,
    circuit_breaker: CircuitBreaker,
    bulkhead: Bulkhead,
}

fn stack() -> Stack {
    let (ledger, store) = ledger();
    Stack {
        ledger,
        store,
        of_store: CircuitBreaker::builder("store").consecutive_failures(2).build().unwrap(),
        circuit_breaker: CircuitBreaker::builder("bank").consecutive_failures(5).build().unwrap(),
        bulkhead: Bulkhead::builder("bank").limit(1).build().unwrap(),
    }
}

/// What the store's circuit breaker goes by: nothing but whether the store answers.
fn of_store(result: &Result<String, BoxError>) -> Verdict {
    match result.as_ref().err().and_then(|error| error.downcast_ref()) {
        Some(IdempotencyError::LedgerDown(_)) => Verdict::Failure,
        _ => Verdict::Success,
    }
}

impl Stack {
    /// Outer to inner: the store's circuit breaker, idempotency, retry, circuit breaker, bulkhead, timeout, handler.
    fn around<S>(&self, handler: S) -> BoxCloneService<Request, String, BoxError>
    where
        S: Service<Request, Response = String, Error = BoxError> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let retry = RetryPolicy::builder("bank")
            .attempts(3)
            .backoff(Backoff::constant(Duration::from_millis(10)))
            .build()
            .unwrap();
        ServiceBuilder::new()
            .layer(BoxCloneService::layer())
            .layer(self.of_store.layer().classify(of_store))
            .layer(IdempotencyLayer::new(self.ledger.clone(), key_of as KeyOf))
            .layer(retry.layer())
            .layer(self.circuit_breaker.layer())
            .layer(self.bulkhead.layer())
            .layer(Timeout::new(Duration::from_secs(3)).layer())
            .service(handler)
    }
}

/// LG-60: the tries of a retry are one claim, with one grant.
#[tokio::test(start_paused = true)]
async fn tries_are_one_claim() {
    let stack = stack();
    let inner = inner(|request: Request, call| async move {
        if call < 2 { Err(BoxError::from("blip")) } else { Ok(format!("{request} {call}")) }
    });
    let count = inner.count.clone();
    let service = stack.around(inner);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 2");
    assert_eq!(row(&stack.ledger, "a").await, (EntryState::Done, 1, None));
    assert_eq!((stack.store.count("claim"), stack.store.count("settle"), count.called()), (1, 1, 2));
    assert_eq!(service.oneshot("a").await.unwrap(), "a 2");
    assert_eq!(count.called(), 2);
}

/// LG-60: a call that the timeout gives up fails its claim, with the limit as the reason, so that the key is free.
#[tokio::test(start_paused = true)]
async fn a_timeout_frees_the_key() {
    let stack = stack();
    let inner = inner(|_: Request, _| std::future::pending());
    let count = inner.count.clone();
    let error = stack.around(inner).oneshot("a").await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Rejected::TimedOut { .. })), "{error:?}");
    assert_eq!(row(&stack.ledger, "a").await, (EntryState::Failed, 1, Some("timed out after 3s".into())));
    assert_eq!((count.called(), stack.ledger.held()), (3, 0));
}

/// LG-60, LG-54: of several tries the last decides: if that was refused the key is given back, although those before it
/// reached the service.
#[tokio::test(start_paused = true)]
async fn the_last_try_decides() {
    let mut stack = stack();
    stack.circuit_breaker = CircuitBreaker::builder("bank").consecutive_failures(2).build().unwrap();
    let inner = inner(|_: Request, _| std::future::pending());
    let count = inner.count.clone();
    let error = stack.around(inner).oneshot("a").await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Rejected::CircuitOpen { .. })), "{error:?}");
    assert_eq!(row(&stack.ledger, "a").await, (EntryState::Failed, 0, None));
    assert_eq!(count.called(), 2);
}

/// LG-60: an open circuit and a full bulkhead give the key back; what was done is answered all the same, and Done, Busy
/// and Mismatch are no failures of the store.
#[tokio::test(start_paused = true)]
async fn rejections_give_the_key_back() {
    let stack = stack();
    let inner = inner(|request: Request, _| async move {
        if request == "slow" {
            seaworthy_store::time::sleep(Duration::from_secs(1)).await;
        }
        Ok::<_, BoxError>(request.to_owned())
    });
    let count = inner.count.clone();
    let mut service = stack.around(inner);
    assert_eq!(service.ready().await.unwrap().call("done").await.unwrap(), "done");
    let mut slow = task::spawn(service.ready().await.unwrap().call("slow"));
    assert_pending!(slow.poll());
    let error = service.ready().await.unwrap().call("a").await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Rejected::BulkheadFull { .. })), "{error:?}");
    assert_eq!(row(&stack.ledger, "a").await, (EntryState::Failed, 0, None));
    for _ in 0..5 {
        let error = service.ready().await.unwrap().call("slow").await.unwrap_err();
        assert!(matches!(idempotency(&error), IdempotencyError::Busy { .. }), "{error:?}");
    }
    assert_eq!(slow.await.unwrap(), "slow");
    stack.circuit_breaker.force_open();
    let error = service.ready().await.unwrap().call("a").await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Rejected::CircuitOpen { .. })), "{error:?}");
    assert_eq!(row(&stack.ledger, "a").await, (EntryState::Failed, 0, None));
    assert_eq!(service.ready().await.unwrap().call("done").await.unwrap(), "done");
    assert_eq!(count.called(), 2);
    assert_eq!(stack.of_store.state(), State::Closed);
}

/// LG-60: the store's circuit breaker opens when the store is down, so that it is not asked for a while, and the inner
/// one hears nothing of it.
#[tokio::test(start_paused = true)]
async fn the_stores_circuit_breaker() {
    let stack = stack();
    let inner = inner(|request: Request, _| async move { Ok::<_, BoxError>(request.to_owned()) });
    let count = inner.count.clone();
    let service = stack.around(inner);
    stack.store.set_for("claim", Fault::Down);
    for _ in 0..2 {
        let error = service.clone().oneshot("a").await.unwrap_err();
        assert!(matches!(idempotency(&error), IdempotencyError::LedgerDown(_)), "{error:?}");
    }
    let error = service.clone().oneshot("a").await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Rejected::CircuitOpen { .. })), "{error:?}");
    assert_eq!((stack.store.count("claim"), count.touched()), (2, (0, 0)));
    assert_eq!((stack.of_store.state(), stack.circuit_breaker.state()), (State::Open, State::Closed));
}

/// LG-60: `Buffer` and `LoadShed` around it work as around any service: the layer is always ready, so nothing is shed
/// and nothing waits for an inner service that is not.
#[tokio::test(start_paused = true)]
async fn buffer_and_load_shed() {
    let (ledger, _) = ledger();
    let (service, count) = guarded(&ledger);
    let service = ServiceBuilder::new().layer(LoadShedLayer::new()).layer(BufferLayer::new(4)).service(service);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(service.oneshot("").await.unwrap(), " 2");
    assert_eq!(count.called(), 2);

    let (inner, mut handle) = tower_test::mock::pair::<Request, String>();
    handle.allow(0);
    let mut shed = LoadShedLayer::new().layer(layer(&ledger).layer(inner));
    let mut waits = task::spawn(shed.ready().await.unwrap().call("b"));
    assert_pending!(waits.poll());
    assert_eq!(shed.ready().await.unwrap().call("a").await.unwrap(), "a 1");
}
