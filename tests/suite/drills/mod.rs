//! Drills: production failures, played through against the public API, in each way of using it.

mod gates;
mod rig;

use std::time::Duration;

use rig::{Rig, Settings, is_down, is_full, is_open};
use seaworthy::State;

use crate::support::{MS, advance, now};

const TRIP_AND_RECOVERY: [(State, State); 3] =
    [(State::Closed, State::Open), (State::Open, State::HalfOpen), (State::HalfOpen, State::Closed)];

/// DR-1: three failures open it, the next call is rejected at once, and after the open time a success closes it.
#[tokio::test(start_paused = true)]
async fn dr_1_trip_and_recovery() {
    for rig in Rig::each(Settings { circuit_breaker: Some((3, 200 * MS)), ..Settings::default() }) {
        rig.backend.fails(true);
        for call in 0..3 {
            assert_eq!(rig.circuit_breaker.state(), State::Closed, "{}: before failure {call}", rig.kind);
            assert!(is_down(&rig.call().await), "each caller gets the backend's own error");
        }

        let before = now();
        assert!(is_open(&rig.call().await), "{}", rig.kind);
        assert!(now() - before < 5 * MS);
        assert_eq!(rig.backend.calls(), 3, "the backend was left alone");

        rig.backend.fails(false);
        advance(199 * MS).await;
        assert!(is_open(&rig.call().await), "not before its time");
        advance(51 * MS).await;
        assert!(rig.call().await.is_ok());
        assert_eq!((rig.circuit_breaker.state(), rig.backend.calls()), (State::Closed, 4));
        assert_eq!(rig.changes(), TRIP_AND_RECOVERY, "{}", rig.kind);
    }
}

/// DR-2: with all permits held, a call is rejected after the wait, and no other call is.
#[tokio::test(start_paused = true)]
async fn dr_2_saturation() {
    for rig in Rig::each(Settings { bulkhead: Some((3, 100 * MS)), ..Settings::default() }) {
        rig.backend.holds(true);
        let held = [rig.start().await, rig.start().await, rig.start().await];
        assert_eq!((rig.bulkhead.available(), rig.bulkhead.in_use(), rig.backend.calls()), (0, 3, 3), "{}", rig.kind);

        let more = [rig.start().await, rig.start().await, rig.start().await, rig.start().await, rig.start().await];
        assert_eq!(rig.bulkhead.queued(), 5);
        advance(99 * MS).await;
        tokio::task::yield_now().await;
        assert!(more.iter().all(|call| !call.is_finished()), "they wait for as long as they may");
        let mut rejected = 0;
        for call in more {
            rejected += u32::from(is_full(&call.await.unwrap()));
        }
        assert_eq!((rejected, rig.backend.calls()), (5, 3), "{}", rig.kind);

        rig.backend.holds(false);
        for call in held {
            assert!(call.await.unwrap().is_ok());
        }
        assert_eq!((rig.bulkhead.available(), rig.bulkhead.queued()), (3, 0));
        assert!(rig.call().await.is_ok());
    }
}

/// DR-3: everything together: it opens, fails fast, recovers, and serves.
#[tokio::test(start_paused = true)]
async fn dr_3_the_whole_policy() {
    let settings = Settings {
        circuit_breaker: Some((3, 200 * MS)),
        bulkhead: Some((5, Duration::ZERO)),
        timeout: Some(500 * MS),
        ..Settings::default()
    };
    for rig in Rig::each(settings) {
        // Two fail and one hangs: the timeout turns it into a failure.
        rig.backend.fails(true);
        assert!(is_down(&rig.call().await) && is_down(&rig.call().await));
        rig.backend.holds(true);
        let before = now();
        assert!(rig.call().await.is_err());
        assert_eq!(now() - before, 500 * MS, "{}", rig.kind);
        assert_eq!(rig.circuit_breaker.state(), State::Open, "{}", rig.kind);

        for _ in 0..10 {
            assert!(is_open(&rig.call().await));
        }
        assert_eq!(
            (rig.backend.calls(), rig.bulkhead.available()),
            (3, 5),
            "no call came through, no permit was taken"
        );

        rig.backend.fails(false);
        rig.backend.holds(false);
        advance(250 * MS).await;
        for _ in 0..10 {
            assert!(rig.call().await.is_ok());
        }
        assert_eq!((rig.backend.calls(), rig.bulkhead.available()), (13, 5));
        assert_eq!(rig.changes(), TRIP_AND_RECOVERY, "{}", rig.kind);
    }
}

/// DR-4: as many attempts as were asked for, within the deadline, and none after a success.
#[tokio::test(start_paused = true)]
async fn dr_4_retries() {
    let retry = |attempts, pause, deadline| {
        Rig::each(Settings { retry: Some((attempts, pause, deadline)), ..Settings::default() })
    };
    for rig in retry(4, 10 * MS, None) {
        rig.backend.fails(true);
        assert!(is_down(&rig.call().await), "the last error is the caller's");
        assert_eq!(rig.backend.calls(), 4, "{}", rig.kind);
    }
    for rig in retry(100, 10 * MS, Some(100 * MS)) {
        rig.backend.fails(true);
        let before = now();
        assert!(is_down(&rig.call().await));
        assert!(now() - before < 500 * MS, "{}", rig.kind);
        assert!((2..100).contains(&rig.backend.calls()), "{}: {}", rig.kind, rig.backend.calls());
    }
    for rig in retry(100, Duration::from_secs(1), None) {
        rig.backend.fails(true);
        let call = rig.start().await;
        while rig.backend.calls() < 2 {
            advance(MS).await;
            tokio::task::yield_now().await;
        }
        rig.backend.fails(false);
        assert!(call.await.unwrap().is_ok());
        assert_eq!(rig.backend.calls(), 3, "{}", rig.kind);
    }
}

/// DR-5: while the probe is held, the others are rejected; when it succeeds, the circuit closes.
#[tokio::test(start_paused = true)]
async fn dr_5_half_open_single_flight() {
    for rig in Rig::each(Settings { circuit_breaker: Some((3, 200 * MS)), ..Settings::default() }) {
        rig.backend.fails(true);
        for _ in 0..3 {
            assert!(is_down(&rig.call().await));
        }
        rig.backend.fails(false);
        rig.backend.holds(true);
        advance(200 * MS).await;
        let probe = rig.start().await;
        assert_eq!((rig.circuit_breaker.state(), rig.backend.calls()), (State::HalfOpen, 4), "{}", rig.kind);
        for _ in 0..5 {
            assert!(is_open(&rig.call().await));
        }
        assert_eq!(rig.backend.calls(), 4, "one is in flight, and no more");

        rig.backend.holds(false);
        assert!(probe.await.unwrap().is_ok());
        assert_eq!(rig.circuit_breaker.state(), State::Closed, "{}", rig.kind);
        assert!(rig.call().await.is_ok());
    }
}
