use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use seaworthy::http::grpc::{GrpcHealthBody, GrpcHealthFuture, GrpcHealthService};
use seaworthy::{AsyncCheck, BoxError, Deadline, Health, Phase};
use static_assertions::assert_impl_all;
use tokio_test::{assert_pending, assert_ready, task};
use tower::Service;

use super::*;
use crate::support::{MS, advance};

assert_impl_all!(GrpcHealthService: Clone, Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(GrpcHealthFuture<Full<Bytes>>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(GrpcHealthBody: Send, Sync, Unpin, std::fmt::Debug);

/// GR-13: the whole is serving while readiness says 200, in every phase and whatever the checks say.
#[tokio::test]
async fn the_whole() {
    let (health, up) = (Health::new(), Arc::new(AtomicUsize::new(1)));
    let (grpc, endpoints) = (health.grpc_service(), health.endpoints());
    let ready = async || {
        let request = Request::get("/health/ready").body(()).unwrap();
        let Ok(response) = endpoints.clone().oneshot(request).await;
        response.status().as_u16()
    };
    assert_eq!((check(&grpc, "").await, ready().await), (said(NOT_SERVING), 503), "before the run");
    health.begin();
    assert_eq!((check(&grpc, "").await, ready().await), (said(NOT_SERVING), 503), "starting");
    health.advance(Phase::Serving);
    assert_eq!((check(&grpc, "").await, ready().await), (said(SERVING), 200));
    let is_up = Arc::clone(&up);
    health.require("database", move || is_up.load(Ordering::Relaxed) == 1).unwrap();
    health.report("cache", || false).unwrap();
    assert_eq!((check(&grpc, "").await, ready().await), (said(SERVING), 200), "a reported one changes nothing");
    up.store(0, Ordering::Relaxed);
    assert_eq!((check(&grpc, "").await, ready().await), (said(NOT_SERVING), 503));
    up.store(1, Ordering::Relaxed);
    assert_eq!((check(&grpc, "").await, ready().await), (said(SERVING), 200));
    health.require("broken", || -> bool { panic!("a check that panics is down") }).unwrap();
    assert_eq!((check(&grpc, "").await, ready().await), (said(NOT_SERVING), 503));
    health.remove("broken");
    for phase in [Phase::Draining, Phase::Stopped] {
        health.advance(phase);
        assert_eq!((check(&grpc, "").await, ready().await), (said(NOT_SERVING), 503), "{phase}");
    }
}

/// GR-13: a published name is a service, judged by its checks whether or not they are required; others are not found.
#[tokio::test]
async fn published_services() {
    let health = serving();
    let grpc = health.grpc_service();
    health.require("database", || true).unwrap();
    health.report("cache", || false).unwrap();
    assert_eq!(check(&grpc, "shop.Cart").await, refused(5));
    assert_eq!(check(&grpc, "database").await, refused(5), "the name of a check is not one of a service");
    grpc.publish("shop.Cart", &["database"]).unwrap();
    grpc.publish("shop.Views", &["cache", "database"]).unwrap();
    grpc.publish("shop.Static", &[]).unwrap();
    // A clone knows them, and another service of the same health does not.
    let clone = grpc.clone();
    assert_eq!(check(&clone, "shop.Cart").await, said(SERVING));
    assert_eq!(check(&clone, "shop.Views").await, said(NOT_SERVING));
    assert_eq!(check(&clone, "shop.Static").await, said(SERVING));
    assert_eq!(check(&clone, "shop.cart").await, refused(5));
    assert_eq!(check(&health.grpc_service(), "shop.Cart").await, refused(5));
    // The whole is unaffected by what is only reported, and a service by checks that are not its own.
    health.require("database", || false).unwrap();
    assert_eq!(check(&grpc, "").await, said(NOT_SERVING));
    assert_eq!(check(&grpc, "shop.Static").await, said(SERVING));
    assert_eq!(check(&grpc, "shop.Cart").await, said(NOT_SERVING), "a check that is replaced counts as it is now");
    health.remove("database");
    assert_eq!(check(&grpc, "shop.Cart").await, said(SERVING), "one that is removed no longer counts");
    // The same name replaces.
    grpc.publish("shop.Cart", &["cache"]).unwrap();
    assert_eq!(check(&grpc, "shop.Cart").await, said(NOT_SERVING));
    assert!(grpc.withdraw("shop.Cart") && !grpc.withdraw("shop.Cart") && !grpc.withdraw(""));
    assert_eq!(check(&grpc, "shop.Cart").await, refused(5));
    assert_eq!(check(&grpc, "").await, said(SERVING));
    health.advance(Phase::Draining);
    assert_eq!(check(&grpc, "shop.Static").await, said(NOT_SERVING));
    assert_eq!(check(&grpc, "shop.Cart").await, refused(5));
}

/// GR-13: what cannot be published, and settings that cannot be used, with field, value and rule.
#[test]
fn what_is_refused() {
    let health = serving();
    health.require("database", || true).unwrap();
    let grpc = health.grpc_service();
    for (error, text) in [
        (
            grpc.publish("shop.Cart", &["database", "databse"]).unwrap_err(),
            "gRPC health service `shop.Cart`: checks is \"databse\", must be the name of a check",
        ),
        (grpc.publish("", &[]).unwrap_err(), "gRPC health service: name is \"\", must not be empty"),
        (
            grpc.clone().check_interval(Duration::ZERO).unwrap_err(),
            "gRPC health service: check_interval is 0ns, must not be shorter than a millisecond",
        ),
        (
            grpc.clone().check_interval(Duration::from_micros(999)).unwrap_err(),
            "gRPC health service: check_interval is 999µs, must not be shorter than a millisecond",
        ),
        (grpc.clone().max_watchers(0).unwrap_err(), "gRPC health service: max_watchers is 0, must be at least 1"),
    ] {
        assert_eq!(error.to_string(), text);
    }
    let shown = format!("{grpc:?}");
    assert!(shown.contains("published: []") && shown.contains("watchers: 0"), "{shown}");
    assert!(grpc.check_interval(MS).unwrap().check_interval(Duration::MAX).unwrap().max_watchers(u32::MAX).is_ok());
}

/// GR-13: asynchronous checks run, once for all who ask at the same time; a shutdown that begins meanwhile is seen.
#[tokio::test(start_paused = true)]
async fn asynchronous_checks() {
    let (health, runs) = (serving(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&runs);
    let database = AsyncCheck::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            sleep(100 * MS).await;
            Ok::<_, BoxError>(())
        }
    });
    health.require("database", database).unwrap();
    let mut grpc = health.grpc_service();
    let mut ask = || task::spawn(grpc.call(post(CHECK, Full::new(Bytes::from(asking_for(""))))));
    let (mut one, mut other, mut dropped) = (ask(), ask(), ask());
    assert_pending!(one.poll());
    assert_pending!(other.poll());
    assert_pending!(dropped.poll());
    drop(dropped);
    advance(100 * MS).await;
    assert!(one.is_woken() && other.is_woken());
    let Ok(response) = assert_ready!(one.poll());
    assert_eq!((answer_of(response).await, runs.load(Ordering::Relaxed)), (said(SERVING), 1));
    // It has answered, and meanwhile the shutdown has begun.
    health.advance(Phase::Draining);
    let Ok(response) = assert_ready!(other.poll());
    assert_eq!((answer_of(response).await, runs.load(Ordering::Relaxed)), (said(NOT_SERVING), 1));
    // From then on no check is asked.
    assert_eq!((check(&health.grpc_service(), "").await, runs.load(Ordering::Relaxed)), (said(NOT_SERVING), 1));
}

/// GR-13: nobody who asks learns why a check is down.
#[tokio::test]
async fn no_reason_is_told() {
    let health = serving();
    health.require("db", AsyncCheck::new(|| async { Err::<(), _>("postgres://root:hunter2@10.0.0.1") })).unwrap();
    let response = send(&health.grpc_service(), post(CHECK, Full::new(Bytes::from(asking_for(""))))).await;
    assert_eq!(response.headers().len(), 1, "{:?}", response.headers());
    assert_eq!(answer_of(response).await, said(NOT_SERVING));
}

/// DL-20: a health endpoint consults no deadline, and a check does not see that of whoever asks.
#[tokio::test(start_paused = true)]
async fn no_deadline() {
    let (health, seen) = (serving(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&seen);
    let database = AsyncCheck::new(move || {
        let counted = Arc::clone(&counted);
        async move {
            sleep(MS).await;
            counted.fetch_add(usize::from(Deadline::current().is_some()), Ordering::Relaxed);
            Ok::<_, BoxError>(())
        }
    });
    health.require("database", database).unwrap();
    let grpc = health.grpc_service();
    let passed = Deadline::within(Duration::ZERO);
    assert_eq!(passed.scope(check(&grpc, "")).await, said(SERVING));
    let mut watched = passed.scope(watch(&grpc, "")).await.into_body();
    let first = passed.scope(watched.frame()).await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((&*first, seen.load(Ordering::Relaxed)), (SERVING, 0));
    let ready = health.endpoints().oneshot(Request::get("/health/ready").body(()).unwrap());
    let Ok(response) = passed.scope(ready).await;
    assert_eq!((response.status().as_u16(), seen.load(Ordering::Relaxed)), (200, 0));
}
