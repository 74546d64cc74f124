use std::time::Duration;

use seaworthy::{BoxError, ConfigError};
use seaworthy_ledger::{ClaimRequest, Claimed, Completion, EntryState, Key, OnDown};
use seaworthy_ledger::{IdempotencyError, IdempotencyLayer};
use tower::{Layer, ServiceExt};

use super::given::{LEASE, Request, guarded, idempotency, inner, is_running, key, layer, ledger, numbered, row};

/// LG-50: a request with a key is claimed, the inner service is called while the claim is held, and its answer is
/// recorded, in that order.
#[tokio::test(start_paused = true)]
async fn claimed_called_completed() {
    let (ledger, store) = ledger();
    let held = ledger.clone();
    let service = layer(&ledger).layer(inner(move |request: Request, _| {
        let held = held.clone();
        async move {
            assert!(is_running(&held, request).await && held.held() == 1);
            // Longer than the lease, so it must be renewed.
            seaworthy_store::time::sleep(LEASE * 3).await;
            assert!(is_running(&held, request).await);
            Ok::<_, BoxError>("paid".to_owned())
        }
    }));
    assert_eq!(service.oneshot("a").await.unwrap(), "paid");
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
    assert_eq!(ledger.held(), 0);
    assert!(store.count("renew") >= 8, "{}", store.count("renew"));
}

/// LG-50: without a key the request passes: nothing is asked of the ledger, and each call reaches the inner service.
#[tokio::test(start_paused = true)]
async fn without_a_key() {
    let (ledger, store) = ledger();
    let (service, count) = guarded(&ledger);
    assert_eq!(service.clone().oneshot("").await.unwrap(), " 1");
    assert_eq!(service.oneshot("").await.unwrap(), " 2");
    assert_eq!((count.called(), store.count("claim"), store.count("settle")), (2, 0, 0));
}

/// LG-50: a key that cannot be one refuses the request, which would pass unguarded otherwise; so does a claim's setting
/// that cannot be used. Neither the store nor the inner service is asked.
#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be() {
    let (ledger, store) = ledger();
    let bad = numbered();
    let count = bad.count.clone();
    let service = layer(&ledger).on_down(OnDown::Proceed).layer(bad.clone());
    let error = service.oneshot("a\nb").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Request(_)), "{error:?}");
    let short = |request: &Request| -> Result<ClaimRequest, ConfigError> {
        Ok(ClaimRequest::new(Key::new("test", request)?).lease(Duration::from_millis(1)))
    };
    let service = IdempotencyLayer::new(ledger.clone(), short).on_down(OnDown::Proceed).layer(bad);
    let error = service.oneshot("a").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Request(_)), "{error:?}");
    assert!(error.to_string().contains("lease"), "{error}");
    assert_eq!((count.touched(), store.count("claim")), ((0, 0), 0));
}

/// LG-51: what was done is answered with what was kept, and the inner service is neither called nor asked whether it is
/// ready; another key's is.
#[tokio::test(start_paused = true)]
async fn done() {
    let (ledger, _) = ledger();
    let (service, count) = guarded(&ledger);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(count.touched(), (1, 1));
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    }
    assert_eq!(count.touched(), (1, 1));
    assert_eq!(service.oneshot("b").await.unwrap(), "b 2");
}

/// LG-51: a key that somebody else is at, or that stands for another request, is an error with the inner service
/// untouched; the row is as it was.
#[tokio::test(start_paused = true)]
async fn busy_and_mismatch() {
    let (ledger, store) = ledger();
    let elsewhere = seaworthy_ledger::Ledger::with_store("elsewhere", store.clone()).build().unwrap();
    let by_length = |request: &Request| {
        Key::new("test", &request[..1]).map(|key| ClaimRequest::new(key).fingerprint(request.as_bytes()))
    };
    let inner = numbered();
    let count = inner.count.clone();
    let service = IdempotencyLayer::new(ledger.clone(), by_length).layer(inner);

    let Claimed::Mine(claim) = elsewhere.claim(ClaimRequest::new(key("a")).fingerprint("a")).await.unwrap() else {
        panic!("not mine")
    };
    let error = service.clone().oneshot("a").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Busy { retry_in } if *retry_in == LEASE), "{error:?}");
    let error = service.clone().oneshot("another").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Mismatch), "{error:?}");
    assert!(is_running(&ledger, "a").await);

    assert!(claim.complete("\"theirs\"").await.unwrap().is_yes());
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "theirs");
    let error = service.oneshot("another").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Mismatch), "{error:?}");
    assert_eq!(count.touched(), (0, 0));
}

/// LG-51: the errors are those of the inner service's type, be it a box, an enum, or the core's around an enum.
#[tokio::test(start_paused = true)]
async fn error_types() {
    #[derive(Debug)]
    enum Own {
        Idempotency(IdempotencyError),
        Rejected(seaworthy::Rejected),
    }
    impl From<IdempotencyError> for Own {
        fn from(error: IdempotencyError) -> Own {
            Own::Idempotency(error)
        }
    }
    impl From<seaworthy::Rejected> for Own {
        fn from(rejected: seaworthy::Rejected) -> Own {
            Own::Rejected(rejected)
        }
    }
    impl std::fmt::Display for Own {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{self:?}")
        }
    }
    impl seaworthy::StackError for Own {
        fn rejected(&self) -> Option<&seaworthy::Rejected> {
            if let Own::Rejected(rejected) = self { Some(rejected) } else { None }
        }
    }
    let (ledger, _) = ledger();
    let Claimed::Mine(_claim) = ledger.claim(&key("a")).await.unwrap() else { panic!("not mine") };
    let own = layer(&ledger).layer(inner(|_: Request, _| async { Ok::<String, Own>(String::new()) }));
    assert!(matches!(own.oneshot("a").await, Err(Own::Idempotency(IdempotencyError::Busy { .. }))));
    let wrapped =
        layer(&ledger).layer(inner(|_: Request, _| async { Ok::<String, seaworthy::Error<Own>>(String::new()) }));
    let error = wrapped.oneshot("a").await.unwrap_err();
    assert!(matches!(error.inner(), Some(Own::Idempotency(IdempotencyError::Busy { .. }))), "{error:?}");
}

/// LG-51: the answer of work that was done elsewhere and not kept is an error, and the work is not done again.
#[tokio::test(start_paused = true)]
async fn done_and_not_kept() {
    let (ledger, _) = ledger();
    let Claimed::Mine(claim) = ledger.claim(&key("a")).await.unwrap() else { panic!("not mine") };
    assert!(claim.complete(Completion::not_kept()).await.unwrap().is_yes());
    let (service, count) = guarded(&ledger);
    let error = service.oneshot("a").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::NotKept), "{error:?}");
    assert_eq!(count.touched(), (0, 0));
}
