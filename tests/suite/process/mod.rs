//! A whole service as a process, with signals and sockets, in real time.
#![allow(clippy::disallowed_methods, reason = "another process lives in real time")]

mod child;
mod drill;

use std::process::Command;
use std::time::{Duration, Instant};

use child::Service;
use tokio::task::JoinSet;

/// RG-6, RN-02, RN-03: a server with 100 requests in flight gets SIGTERM. Readiness is 503 while it still accepts
/// connections, each of the 100 is answered, and it exits with 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg_6_shutdown_under_load() {
    let service = Service::start(&["--drain", "1.5", "--grace", "30"]);
    assert_eq!(service.until_ready_is(200).await, r#"{"checks":{"dependency":"ok","journal":"ok"},"status":"ok"}"#);

    let mut calls = JoinSet::new();
    for _ in 0..100 {
        calls.spawn(service.get("/slow?ms=4000"));
    }
    // They are in flight well before a second of their four is over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    service.signal("TERM");

    // A request is answered rather than refused, at least until readiness was seen.
    assert_eq!(service.until_ready_is(503).await, r#"{"status":"shutting down"}"#);
    assert_eq!(service.get("/health/live").await.unwrap(), (200, r#"{"status":"ok"}"#.into()));
    let (status, body) = service.get("/hello").await.unwrap();
    assert_eq!((status, body.as_str()), (200, "hello\n"), "who has not noticed yet is served");
    assert!(calls.try_join_next().is_none(), "and they are still in flight");

    let answers = calls.join_all().await;
    let good = answers.iter().filter(|answer| matches!(answer, Ok((200, _)))).count();
    assert_eq!(good, 100, "{:?}", answers.iter().find(|answer| !matches!(answer, Ok((200, _)))));

    let url = service.url.clone();
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let address = url.strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

/// RN-02, HC-04: Ctrl-C ends it just as SIGTERM does, at once if there is nothing to do. An orchestrator has yet to
/// notice: after its signal the service goes on for 5 s, unless another time was set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn_02_a_clean_stop() {
    for signal in ["INT", "TERM"] {
        let service = Service::start(&[]);
        service.until_ready_is(200).await;
        assert_eq!(service.get("/orders").await.unwrap().0, 200);
        let start = Instant::now();
        service.signal(signal);
        let (status, log) = service.end().await;
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
        let waited = start.elapsed() >= Duration::from_secs(5);
        assert_eq!(waited, signal == "TERM", "{signal}: {:?}", start.elapsed());
        assert!(log.contains("connections to the dependency are closed"), "the clean-up was run: {log}");
    }
}

/// RN-03, RN-05: a task that ignores the shutdown is aborted when the grace period is over, and named; the exit is not
/// clean.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn_03_a_task_that_ignores_the_shutdown() {
    let service = Service::start(&["--drain", "0", "--grace", "0.5", "--misbehave", "ignore-shutdown"]);
    service.until_ready_is(200).await;
    service.signal("TERM");
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.contains("stubborn") && last.contains("aborted"), "{log}");
    assert!(log.contains("connections to the dependency are closed"), "the clean-up was run all the same: {log}");
}

/// RN-06: a panic in a task begins the shutdown, and is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn_06_a_panic_in_a_task() {
    let service = Service::start(&["--misbehave", "panic"]);
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.contains("panicking") && last.contains("this was asked for"), "{log}");
    assert!(log.contains("connections to the dependency are closed"), "{log}");
}

/// RN-08: a second signal aborts at once, whatever is in flight and however much time is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn_08_two_signals() {
    let service = Service::start(&["--drain", "60", "--grace", "60"]);
    service.until_ready_is(200).await;
    let slow = tokio::spawn(service.get("/slow?ms=50000"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    service.signal("TERM");
    service.until_ready_is(503).await;
    // Later than a signal that a manager forwards.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    service.signal("TERM");
    let (status, log) = service.end().await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(slow.await.unwrap().is_err(), "nobody waited for it");
    assert!(log.contains("connections to the dependency are closed"), "{log}");
}

/// RD-03: without its dependency it answers 503, and the first request after the open time finds the dependency well
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rd_03_a_dependency_that_is_not_there() {
    // Nothing listens on a port that was just released.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dependency = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let service = Service::start(&["--drain", "0", "--dependency", &dependency]);
    service.until_ready_is(200).await;
    for _ in 0..3 {
        assert_eq!(service.get("/orders").await.unwrap().0, 502);
    }
    let body = service.until_ready_is(503).await;
    assert_eq!(body, r#"{"checks":{"dependency":"fail","journal":"ok"},"status":"fail"}"#);
    assert_eq!(service.get("/hello").await.unwrap().0, 503);
    assert_eq!(service.get("/health/live").await.unwrap().0, 200, "a restart would not help");
    service.signal("TERM");
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

/// Unusable arguments are reported, and nothing is served.
#[test]
fn bad_arguments() {
    let example = child::example();
    for (arguments, problem) in [
        (&["--listen", "nowhere"][..], "--listen needs an IP address"),
        (&["--grace", "-1"], "--grace needs a number of seconds"),
        (&["--dependency", "https://secure"], "it must begin with http://"),
        (&["--demo", "--drain", "1"], "--demo goes alone"),
        (&["--frobnicate"], "unknown argument: --frobnicate"),
        (&["--drain"], "--drain needs a value"),
    ] {
        let output = Command::new(example).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {told}");
        assert!(told.contains(problem), "{arguments:?}: {told}");
    }
}
