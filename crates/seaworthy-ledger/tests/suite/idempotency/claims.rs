use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seaworthy::BoxError;
use seaworthy_ledger::IdempotencyError;
use seaworthy_ledger::{ClaimRef, ClaimRequest, Claimed, EntryState, Ledger, WithClaim};
use seaworthy_store::time::{now, sleep};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceExt};

use super::given::{LEASE, Request, idempotency, inner, key, layer, ledger, row, turns};
use crate::doubles::{Fault, Faulty};

/// LG-55: `with_claim` gives the inner service the request and the claim: key, fence, whether it is the first, the loss,
/// steps. A request without a key comes without one.
#[tokio::test(start_paused = true)]
async fn with_claim() {
    let (ledger, _) = ledger();
    let service = layer(&ledger).with_claim().layer(inner(|request: WithClaim<Request, Faulty>, _| async move {
        let Some(claim) = request.claim().cloned() else {
            assert_eq!((*request.get_ref(), request.fence()), ("", None));
            return Ok::<_, BoxError>("no claim".to_owned());
        };
        assert!(!claim.lost().expect("it is held").is_requested());
        let step: u64 = claim.checkpoints().run("step", || async { Ok::<_, std::io::Error>(claim.fence()) }).await?;
        let (fence, is_first) = (request.fence().unwrap(), claim.is_first());
        if fence < 3 { Err("again".into()) } else { Ok(format!("{} {fence} {is_first} {step}", request.into_inner())) }
    }));
    service.clone().oneshot("a").await.unwrap_err();
    service.clone().oneshot("a").await.unwrap_err();
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 3 false 1");
    assert_eq!(service.oneshot("").await.unwrap(), "no claim");
}

/// LG-55: a closure can put the claim where the inner service looks for it.
#[tokio::test(start_paused = true)]
async fn a_claim_by_closure() {
    let (ledger, _) = ledger();
    let give = |request: Request, claim: Option<ClaimRef<Faulty>>| (claim.map(|claim| claim.fence()), request);
    let inner = inner(|(fence, request): (Option<u64>, Request), _| async move {
        Ok::<_, BoxError>(format!("{request} {fence:?}"))
    });
    let service = layer(&ledger).give_claim(give).layer(inner);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a Some(1)");
    assert_eq!(service.oneshot("").await.unwrap(), " None");
}

/// LG-55: over HTTP the claim is an extension of the request; a request without a key has none.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn a_claim_among_extensions() {
    let (ledger, _) = ledger();
    let key_of = |request: &http::Request<()>| {
        let value = request.headers().get("job")?.to_str().ok()?;
        Some(seaworthy_ledger::Key::new("test", value))
    };
    let layer = seaworthy_ledger::IdempotencyLayer::new(ledger.clone(), key_of).claim_in_extensions();
    let service = layer.layer(inner(|request: http::Request<()>, _| async move {
        Ok::<_, BoxError>(request.extensions().get::<ClaimRef<Faulty>>().map(ClaimRef::fence))
    }));
    let request = http::Request::builder().header("job", "7").body(()).unwrap();
    assert_eq!(service.clone().oneshot(request).await.unwrap(), Some(1));
    assert_eq!(service.oneshot(http::Request::new(())).await.unwrap(), None);
}

/// Says when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A service that never answers, and whether its call was dropped.
fn hanging() -> (impl Service<Request, Response = String, Error = BoxError> + Clone, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let is_dropped = Arc::clone(&dropped);
    let service = inner(move |_: Request, _| {
        let dropped = Dropped(Arc::clone(&dropped));
        async move {
            let _dropped = dropped;
            std::future::pending::<Result<String, BoxError>>().await
        }
    });
    (service, is_dropped)
}

/// LG-55: a claim that is lost, because no renewal came through, ends the call: the inner future is dropped, the caller
/// gets `Lost` at the local end, and nothing is recorded.
#[tokio::test(start_paused = true)]
async fn lost_by_the_local_end() {
    let (ledger, store) = ledger();
    let (inner, is_dropped) = hanging();
    let mut service = layer(&ledger).layer(inner);
    let begun = now();
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    store.set_for("renew", Fault::Down);
    let error = call.await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
    assert_eq!(begun.elapsed(), LEASE - LEASE / 15);
    assert!(is_dropped.load(Ordering::Relaxed));
    // The row runs until its lease is over, as its holder left it.
    let (state, grants, reason) = row(&ledger, "a").await;
    assert!(matches!(state, EntryState::Running { left } if left == LEASE / 15), "{state:?}");
    assert_eq!((grants, reason, ledger.held(), store.count("settle")), (1, None, 0, 0));
}

/// LG-55: so does one that somebody of a higher rank took; their row is untouched.
#[tokio::test(start_paused = true)]
async fn lost_to_another() {
    let (ledger, store) = ledger();
    let elsewhere = Ledger::with_store("elsewhere", store.clone()).build().unwrap();
    let (inner, is_dropped) = hanging();
    let mut service = layer(&ledger).layer(inner);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    let Claimed::Mine(mut theirs) = elsewhere.claim(ClaimRequest::new(key("a")).rank(2)).await.unwrap() else {
        panic!("not theirs")
    };
    theirs.hold();
    let error = call.await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
    assert!(is_dropped.load(Ordering::Relaxed));
    turns().await;
    assert_eq!(store.count("settle"), 0);
    assert!(theirs.complete("theirs").await.unwrap().is_yes());
}

/// LG-55: an answer that comes when somebody else has the key already is not the one that counts, so its caller gets
/// `Lost`; an error is the caller's all the same.
#[tokio::test(start_paused = true)]
async fn lost_at_the_end() {
    for (name, is_error) in [("a", false), ("b", true)] {
        let (ledger, store) = ledger();
        let elsewhere = Ledger::with_store("elsewhere", store.clone()).build().unwrap();
        let service = layer(&ledger).layer(inner(move |request: Request, _| {
            let elsewhere = elsewhere.clone();
            async move {
                let theirs = elsewhere.claim(ClaimRequest::new(key(request)).rank(2)).await?;
                let Claimed::Mine(mut theirs) = theirs else { panic!("not theirs") };
                theirs.begin();
                drop(theirs);
                if is_error { Err(BoxError::from("own")) } else { Ok("ours".to_owned()) }
            }
        }));
        let error = service.oneshot(name).await.unwrap_err();
        if is_error {
            assert_eq!(error.to_string(), "own");
        } else {
            assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
        }
        assert!(matches!(row(&ledger, name).await, (EntryState::Running { .. }, 2, None)));
    }
}

/// LG-55: a claim that is lost while the inner service is not ready yet ends the wait.
#[tokio::test(start_paused = true)]
async fn lost_before_the_call() {
    let (ledger, store) = ledger();
    let (mock, mut handle) = tower_test::mock::pair::<Request, String>();
    handle.allow(0);
    let mut service = layer(&ledger).layer(mock);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    store.set_for("renew", Fault::Down);
    let error = call.await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
    drop(service);
    assert!(handle.next_request().await.is_none(), "it was never called");
    let (state, grants, reason) = row(&ledger, "a").await;
    assert_eq!((state, grants, reason), (EntryState::Failed, 0, None), "given back");
}

/// LG-55: a service that becomes ready when the claim is lost already is not called.
#[tokio::test(start_paused = true)]
async fn ready_too_late() {
    let (ledger, store) = ledger();
    let (mock, mut handle) = tower_test::mock::pair::<Request, String>();
    handle.allow(0);
    let mut service = layer(&ledger).layer(mock);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    store.set_for("renew", Fault::Down);
    sleep(LEASE).await;
    handle.allow(1);
    let error = call.await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
    drop(service);
    assert!(handle.next_request().await.is_none(), "it was never called");
}
