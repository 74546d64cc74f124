use ::http::Request;
use ::http::request::Parts;
use seaworthy_ledger::http::IdempotencyKeyLayer;
use seaworthy_ledger::{EntryState, Key};

use super::{Body, ask, body, builder, counting, ledger};

fn tenant(head: &Parts) -> Option<String> {
    Some(head.headers.get("tenant")?.to_str().ok()?.to_owned())
}

fn of(tenant: Option<&str>, key: &str) -> Request<Body> {
    let request = Request::post("/orders").header("idempotency-key", key);
    let request = if let Some(tenant) = tenant { request.header("tenant", tenant) } else { request };
    request.body(body("two boxes")).unwrap()
}

/// LG-72: keys of two tenants do not meet; those of one do.
#[tokio::test(start_paused = true)]
async fn tenants() {
    let (ledger, _) = ledger();
    let layer = IdempotencyKeyLayer::builder(ledger.clone()).scope_by(tenant).build().unwrap();
    let (app, calls) = counting(&layer);
    for (tenant, answer) in [("acme", "call 1"), ("initech", "call 2"), ("acme", "call 1"), ("initech", "call 2")] {
        assert_eq!(ask(&app, of(Some(tenant), "a")).await.body, answer);
    }
    assert_eq!(calls.count(), 2);
    let entry = ledger.lookup(&Key::new("acme", "a").unwrap()).await.unwrap().unwrap();
    assert_eq!(entry.state, EntryState::Done);
}

/// LG-72: a scope that cannot be told, or is empty, is 400, and nothing was asked of the store; without a key nobody
/// asks for the scope.
#[tokio::test(start_paused = true)]
async fn no_scope() {
    let (ledger, store) = ledger();
    let layer = IdempotencyKeyLayer::builder(ledger).scope_by(tenant).build().unwrap();
    let (app, calls) = counting(&layer);
    for nobody in [None, Some("")] {
        let told = ask(&app, of(nobody, "a")).await;
        assert_eq!((told.status.as_u16(), told.title().as_str()), (400, "Idempotency-Key has no scope"));
    }
    assert_eq!((calls.count(), store.take_calls()), (0, vec![]));
    let without = Request::post("/orders").body(body("")).unwrap();
    assert_eq!(ask(&app, without).await.status, 200);
}

/// LG-72: one scope for all is called `http`.
#[tokio::test(start_paused = true)]
async fn one_scope() {
    let (ledger, _) = ledger();
    let (app, _) = counting(&builder(&ledger).build().unwrap());
    ask(&app, of(Some("acme"), "a")).await;
    assert!(ask(&app, of(Some("initech"), "a")).await.is_replayed());
    assert!(ledger.lookup(&Key::new("http", "a").unwrap()).await.unwrap().is_some());
}

fn digest(scope: &str) -> String {
    let hash = hmac_sha256::Hash::hash(scope.as_bytes());
    format!("sha256:{}", hash.map(|byte| format!("{byte:02x}")).concat())
}

/// LG-72: a scope that a key cannot have is stored as its hash, and so is one that looks like a hash, so that nobody can
/// pass for somebody else; one that fits is stored as it is.
#[tokio::test(start_paused = true)]
async fn scopes_that_do_not_fit() {
    let (ledger, _) = ledger();
    // As the closure gives them, since headers have no control characters.
    let scope = |head: &Parts| Some(head.uri.query()?.replace("TAB", "\t"));
    let layer = IdempotencyKeyLayer::builder(ledger.clone()).scope_by(scope).build().unwrap();
    let (app, calls) = counting(&layer);
    let long = "t".repeat(101);
    let hash = digest(&long);
    let scopes = [("t".repeat(100), false), (long, true), ("aTABb".to_owned(), true), (hash, true)];
    for (scope, is_hashed) in &scopes {
        let request = Request::post(format!("/orders?{scope}")).header("idempotency-key", "a").body(body("")).unwrap();
        assert!(!ask(&app, request).await.is_replayed(), "{scope}");
        let scope = scope.replace("TAB", "\t");
        let stored = if *is_hashed { digest(&scope) } else { scope };
        assert!(ledger.lookup(&Key::new(&stored, "a").unwrap()).await.unwrap().is_some(), "{stored}");
    }
    assert_eq!(calls.count(), scopes.len());
}

/// LG-72: a secret is a scope, and is not stored.
#[tokio::test(start_paused = true)]
async fn secrets() {
    let (ledger, _) = ledger();
    let layer = IdempotencyKeyLayer::builder(ledger.clone()).scope_by_secret(tenant).build().unwrap();
    let (app, calls) = counting(&layer);
    for (token, answer) in [("t0ken", "call 1"), ("other", "call 2"), ("t0ken", "call 1")] {
        assert_eq!(ask(&app, of(Some(token), "a")).await.body, answer);
    }
    assert_eq!(calls.count(), 2);
    assert!(ledger.lookup(&Key::new("t0ken", "a").unwrap()).await.unwrap().is_none());
    assert!(ledger.lookup(&Key::new(&digest("t0ken"), "a").unwrap()).await.unwrap().is_some());
    assert_eq!(ask(&app, of(None, "a")).await.status, 400);
}
