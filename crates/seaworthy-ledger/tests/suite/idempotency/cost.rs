use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use seaworthy::BoxError;
use seaworthy_ledger::{IdempotencyLayer, Ledger};
use tower::{Layer, Service, ServiceExt};

use super::given::{KeyOf, Request, guarded, inner, key_of, ledger};

/// LG-61: a request costs the store two requests, the claim and the completion; one that was done costs one, and one
/// without a key none.
#[tokio::test(start_paused = true)]
async fn requests_to_the_store() {
    let (ledger, store) = ledger();
    let (service, _) = guarded(&ledger);
    service.clone().oneshot("").await.unwrap();
    assert_eq!(store.take_calls(), [""; 0]);
    service.clone().oneshot("a").await.unwrap();
    assert_eq!(store.take_calls(), ["claim", "settle"]);
    service.oneshot("a").await.unwrap();
    assert_eq!(store.take_calls(), ["claim"]);
}

/// LG-61: a request without a key allocates nothing, and its future is hardly larger than the inner one.
#[test]
fn nothing_without_a_key() {
    let ledger = Ledger::memory("test").build().unwrap();
    let inner = inner(|_: Request, _| std::future::ready(Ok::<String, BoxError>(String::new())));
    let mut service = IdempotencyLayer::new(ledger, key_of as KeyOf).layer(inner);
    let mut call = || {
        let mut call = pin!(service.call(""));
        let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(black_box(poll), Poll::Ready(Ok(_))));
        size_of_val(&*call)
    };
    call();
    let allocations = measure(|| {
        call();
    });
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    let inner = size_of::<std::future::Ready<Result<String, BoxError>>>();
    assert!(call() <= inner + 16, "{} of {inner}", call());
}
