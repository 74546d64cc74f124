use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use seaworthy::http::{HealthEndpoints, HealthPaths};
use seaworthy::{AsyncCheck, BoxError, Health, Phase};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::{assert_pending, assert_ready, task};
use tower::ServiceExt;

use super::{Switch, serving};
use crate::support::{MS, advance, listen, now};

/// The type of a request's body does not matter: this one is not even a body.
struct NoBody;

async fn send(endpoints: &HealthEndpoints, method: Method, path: &str) -> http::Response<Bytes> {
    let request = Request::builder().method(method).uri(path).body(NoBody).unwrap();
    let Ok::<_, Infallible>(response) = endpoints.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    http::Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

async fn get(endpoints: &HealthEndpoints, path: &str) -> (u16, String) {
    let response = send(endpoints, Method::GET, path).await;
    (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
}

const OK: (u16, &str) = (200, r#"{"status":"ok"}"#);

async fn assert_row(health: &Health, live: (u16, &str), ready: (u16, &str), startup: (u16, &str)) {
    let endpoints = health.endpoints();
    for (path, (status, body)) in [("live", live), ("ready", ready), ("startup", startup)] {
        let expected = (status, String::from(body));
        assert_eq!(get(&endpoints, &format!("/health/{path}")).await, expected, "{path}, {:?}", health.phase());
    }
}

/// HE-01, HE-06: the table, line by line and byte by byte, and the line for a check that is only reported.
#[tokio::test]
async fn the_table() {
    let health = Health::new();
    let not_started = (503, r#"{"status":"not started"}"#);
    assert_row(&health, not_started, not_started, not_started).await;
    let (redis, database) = (Switch::default(), Switch::default());
    health.require("redis", redis.clone()).unwrap();
    // Even then the checks are not asked.
    assert_row(&health, not_started, not_started, not_started).await;
    // HC-07: from the beginning of the run on it is live, though not ready yet.
    assert!(!health.has_begun() && health.begin() && !health.begin() && health.has_begun());
    let starting = (503, r#"{"status":"starting"}"#);
    assert_row(&health, OK, starting, starting).await;
    assert_eq!((health.phase(), health.is_ready(), redis.asked()), (Phase::Starting, false, 0));
    health.remove("redis");
    health.advance(Phase::Serving);
    assert!(!health.begin() && health.has_begun());
    assert_row(&health, OK, OK, OK).await;

    health.require("redis", redis.clone()).unwrap();
    health.require("database", database.clone()).unwrap();
    assert_eq!((redis.asked(), database.asked()), (0, 0));
    assert_row(&health, OK, (200, r#"{"checks":{"database":"ok","redis":"ok"},"status":"ok"}"#), OK).await;
    // Only readiness asks them.
    assert_eq!((redis.asked(), database.asked()), (1, 1));
    redis.set_down(true);
    let fail = (503, r#"{"checks":{"database":"ok","redis":"fail"},"status":"fail"}"#);
    assert_row(&health, OK, fail, OK).await;
    health.report("redis", redis.clone()).unwrap();
    let degraded = (200, r#"{"checks":{"database":"ok","redis":"degraded"},"status":"ok"}"#);
    assert_row(&health, OK, degraded, OK).await;

    let asked = (redis.asked(), database.asked());
    for phase in [Phase::Draining, Phase::Stopped] {
        health.advance(phase);
        assert_row(&health, OK, (503, r#"{"status":"shutting down"}"#), OK).await;
    }
    assert_eq!((redis.asked(), database.asked()), asked);
}

/// HE-01: GET and HEAD; HEAD has the same head and no body; other methods 405 with what is allowed; other paths 404.
#[tokio::test]
async fn methods_and_paths() {
    let health = serving();
    health.require("a", || false).unwrap();
    let endpoints = health.endpoints();
    let paths = ["/health/live", "/health/ready", "/health/startup", "/live", "/ready", "/startup", "/health/live?x=1"];
    // HC-08: the prefix alone is readiness, even if a router has stripped it.
    for path in paths.into_iter().chain(["/health", "/health/", "/", "/health?x=1"]) {
        let (got, head) = (send(&endpoints, Method::GET, path).await, send(&endpoints, Method::HEAD, path).await);
        assert_eq!(got.status(), if path.contains("live") || path.contains("startup") { 200 } else { 503 }, "{path}");
        assert_eq!((got.status(), got.headers()), (head.status(), head.headers()), "{path}");
        assert_eq!(got.headers()["content-length"], got.body().len().to_string());
        assert_eq!(got.headers()["content-type"], "application/json");
        assert_eq!(got.headers()["cache-control"], "no-store");
        assert!(!got.body().is_empty() && head.body().is_empty());
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            let refused = send(&endpoints, method, path).await;
            assert_eq!(
                (refused.status(), &refused.headers()["allow"]),
                (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD".parse().unwrap())
            );
        }
    }
    let others = ["/health/live/", "/health/x", "/healthlive", "/Health/live", "/x/live"];
    for path in others.into_iter().chain(["/health/health/live", "/liv", "/health//live", "*"]) {
        for method in [Method::GET, Method::POST] {
            let response = send(&endpoints, method, path).await;
            assert_eq!((response.status(), response.headers().get("allow")), (StatusCode::NOT_FOUND, None), "{path}");
        }
    }
}

/// HE-01: whatever the names are, the keys are sorted and the body is JSON; HE-02: the reason never shows.
#[tokio::test]
async fn names_and_reasons() {
    let health = serving();
    for name in ["z", "a\"b", "a\\", "é", "B", "a\n"] {
        health.report(name, || true).unwrap();
    }
    let secret = "postgres://root:hunter2@10.0.0.1";
    health.require("db", AsyncCheck::new(move || async move { Err::<(), _>(secret) })).unwrap();
    let body =
        r#"{"checks":{"B":"ok","a\u000a":"ok","a\"b":"ok","a\\":"ok","db":"fail","z":"ok","é":"ok"},"status":"fail"}"#;
    assert_eq!(get(&health.endpoints(), "/health/ready").await, (503, body.into()));
}

/// HE-02: the reason is logged, once.
#[test]
fn the_reason_is_logged() {
    let log = Arc::new(std::sync::Mutex::new(Vec::<u8>::new()));
    let writer = Arc::clone(&log);
    struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(move || Lines(Arc::clone(&writer)))
        .with_ansi(false)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let listening = listen(subscriber);
    runtime.block_on(async {
        let health = serving();
        health.require("db", AsyncCheck::new(|| async { Err::<(), _>("no route to host") })).unwrap();
        for _ in 0..3 {
            assert_eq!(get(&health.endpoints(), "/health/ready").await.0, 503);
        }
        assert!(health.admit().is_err());
    });
    drop(listening);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("no route to host").count(), 1, "{log}");
    for part in ["seaworthy::health", "WARN", "check failed", "name=db", "phase changed", "rejected a request"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

/// HE-03, HE-04, HE-05: the answer takes as long as the slowest check, and no longer than its time limit; one that
/// panics fails, and the endpoint answers.
#[tokio::test(start_paused = true)]
async fn slow_stuck_and_panicking_checks() {
    let health = serving();
    health.require("stuck", AsyncCheck::new(pending::<Result<(), BoxError>>)).unwrap();
    health.require("bad", AsyncCheck::new(|| async { Err::<(), BoxError>(unreachable("on purpose")) })).unwrap();
    let brief = AsyncCheck::builder(pending::<Result<(), BoxError>>).timeout(MS * 100).build().unwrap();
    health.report("brief", brief).unwrap();
    let start = now();
    let body = r#"{"checks":{"bad":"fail","brief":"degraded","stuck":"fail"},"status":"fail"}"#;
    assert_eq!(get(&health.endpoints(), "/health/ready").await, (503, body.into()));
    let took = now() - start;
    assert!(took >= MS * 500 && took < MS * 510, "{took:?}");
}

fn unreachable(message: &'static str) -> BoxError {
    panic!("{message}")
}

/// HE-08: any number of requests run a check once; one that hangs up does not affect the others.
#[tokio::test(start_paused = true)]
async fn coalesced() {
    let health = serving();
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let check = AsyncCheck::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        pending::<Result<(), BoxError>>()
    });
    health.require("slow", check).unwrap();
    let endpoints = health.endpoints();
    let mut requests: Vec<_> = (0..50).map(|_| task::spawn(get(&endpoints, "/ready"))).collect();
    requests.iter_mut().for_each(|request| assert_pending!(request.poll()));
    drop(requests.remove(0));
    advance(MS * 501).await;
    for request in &mut requests {
        assert!(request.is_woken());
        assert_eq!(assert_ready!(request.poll()), (503, r#"{"checks":{"slow":"fail"},"status":"fail"}"#.into()));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// RN-03: a service that begins to shut down while checks run says so.
#[tokio::test(start_paused = true)]
async fn shut_down_meanwhile() {
    let health = serving();
    health.require("slow", AsyncCheck::new(pending::<Result<(), BoxError>>)).unwrap();
    let endpoints = health.endpoints();
    let mut request = task::spawn(get(&endpoints, "/health/ready"));
    assert_pending!(request.poll());
    health.advance(Phase::Draining);
    advance(MS * 501).await;
    assert_eq!(assert_ready!(request.poll()), (503, r#"{"status":"shutting down"}"#.into()));
}

/// HE-01: the prefix can be changed; a bad one is an error.
#[tokio::test]
async fn prefix() {
    let endpoints = serving().endpoints().prefix("/-/é".replace('é', "h")).unwrap();
    assert_eq!(get(&endpoints, "/-/h/live").await.0, 200);
    assert_eq!(get(&endpoints, "/health/live").await.0, 404);
    assert_eq!(endpoints.paths().prefix(), "/-/h");
    let table = [
        ("", "must begin with a slash"),
        ("health", "must begin with a slash"),
        ("/", "must not end with a slash"),
        ("/health/", "must not end with a slash"),
        ("/a b", "must be visible ASCII without `?` and `#`"),
        ("/a?b", "must be visible ASCII without `?` and `#`"),
        ("/a#b", "must be visible ASCII without `?` and `#`"),
        ("/é", "must be visible ASCII without `?` and `#`"),
        ("/a\n", "must be visible ASCII without `?` and `#`"),
    ];
    for (prefix, rule) in table {
        let error = serving().endpoints().prefix(prefix).unwrap_err();
        assert_eq!((error.field(), error.rule()), ("prefix", rule), "{prefix:?}");
    }
}

/// RD-07: the prefix and what is below it, and nothing that only looks like it.
#[test]
fn paths() {
    let paths = HealthPaths::default();
    for path in ["/health", "/health/", "/health/live", "/health/anything"] {
        assert!(paths.contains(path), "{path}");
    }
    for path in ["", "/", "/healthy", "/health-x", "/x/health", "/Health/live", "health/live", "//health/live"] {
        assert!(!paths.contains(path), "{path}");
    }
}

// HE-09: the traits that hyper and axum ask of a service.
assert_impl_all!(HealthEndpoints: Clone, std::fmt::Debug, Send, Sync, Unpin);
assert_impl_all!(HealthEndpoints: tower::Service<Request<NoBody>, Error = Infallible>);
assert_impl_all!(seaworthy::http::HealthFuture: Send, Unpin);
assert_impl_all!(seaworthy::http::HealthBody: BodyExt, Send, Sync, Unpin, Default);
assert_not_impl_any!(NoBody: BodyExt);

/// HC-08: the endpoints can be renamed, below the prefix or as paths of their own, and exemptions follow; the former
/// names then belong to none. A bad name is an error.
#[tokio::test]
async fn names() {
    let health = serving();
    health.require("a", || false).unwrap();
    let paths = HealthPaths::new("/healthz").unwrap().live("/livez").unwrap().ready("/readyz").unwrap();
    let endpoints = health.endpoints().at(paths.clone().startup("started").unwrap());
    for (path, status) in [
        ("/livez", 200),
        ("/readyz", 503),
        ("/healthz", 503),
        ("/healthz/started", 200),
        ("/started", 200),
        ("/healthz/startup", 404),
        ("/healthz/livez", 404),
        ("/healthz/live", 404),
        ("/live", 404),
        ("/health", 404),
        ("/livez/", 404),
        ("/livezz", 404),
    ] {
        assert_eq!(get(&endpoints, path).await.0, status, "{path}");
        let exempt = path.starts_with("/healthz") || matches!(path, "/livez" | "/readyz");
        assert_eq!(endpoints.paths().contains(path), exempt, "{path}");
    }
    assert_eq!(endpoints.paths().prefix(), "/healthz");
    let moved = endpoints.prefix("/x").unwrap();
    assert_eq!((get(&moved, "/livez").await.0, get(&moved, "/x/started").await.0), (200, 200));

    for (name, rule) in [
        ("", "must not be empty"),
        ("/", "must not end with a slash"),
        ("live/", "must not end with a slash"),
        ("li ve", "must be visible ASCII without `?` and `#`"),
        ("/readyz", "must not be the name of another endpoint"),
    ] {
        let error = paths.clone().live(name).unwrap_err();
        assert_eq!((error.field(), error.rule()), ("live", rule), "{name}");
    }
    assert_eq!(paths.clone().ready("/livez").unwrap_err().field(), "ready");
    assert_eq!(paths.clone().startup("?").unwrap_err().field(), "startup");
    assert!(paths.live("/livez").is_ok(), "its own");
}
