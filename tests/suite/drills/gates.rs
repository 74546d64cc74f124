//! Release gates: what must hold before a release.

use std::time::Duration;

use super::rig::{Rig, Settings, is_down, is_full, is_open};
use crate::support::{MS, advance, now};

const CIRCUIT: Settings =
    Settings { circuit_breaker: Some((3, Duration::from_millis(200))), bulkhead: None, timeout: None, retry: None };

async fn trip(rig: &Rig) {
    rig.backend.fails(true);
    for _ in 0..3 {
        assert!(is_down(&rig.call().await));
    }
}

/// RG-1: a hundred rejected calls take less than a millisecond each. On the real clock.
#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "this is about real time")]
async fn rg_1_fail_fast() {
    for rig in Rig::each(Settings { circuit_breaker: Some((3, Duration::from_secs(3600))), ..CIRCUIT }) {
        trip(&rig).await;
        let start = std::time::Instant::now();
        for _ in 0..100 {
            assert!(is_open(&rig.call().await));
        }
        let average = start.elapsed() / 100;
        assert!(average < MS, "{}: {average:?}", rig.kind);
        assert_eq!(rig.backend.calls(), 3);
    }
}

/// RG-1: on a stopped clock, none of them takes any time: no rejection waits for a timer.
#[tokio::test(start_paused = true)]
async fn rg_1_no_rejection_waits() {
    for rig in Rig::each(CIRCUIT) {
        trip(&rig).await;
        let before = now();
        for _ in 0..100 {
            assert!(is_open(&rig.call().await));
        }
        assert_eq!(now(), before, "{}", rig.kind);
    }
}

/// RG-2: a saturated backend does not slow another.
#[tokio::test(start_paused = true)]
async fn rg_2_isolation() {
    let settings = Settings { bulkhead: Some((2, Duration::ZERO)), ..CIRCUIT };
    for (compute, network) in Rig::each(settings).into_iter().zip(Rig::each(settings)) {
        compute.backend.holds(true);
        let held = [compute.start().await, compute.start().await];
        assert!(is_full(&compute.call().await), "{}", compute.kind);
        let before = now();
        for _ in 0..10 {
            assert!(network.call().await.is_ok(), "{}", network.kind);
        }
        assert_eq!(now(), before, "at once");
        compute.backend.holds(false);
        for call in held {
            assert!(call.await.unwrap().is_ok());
        }
    }
}

/// RG-3: a backend that heals after 100 ms is back in service within 400 ms, if the circuit opens for 200 ms.
#[tokio::test(start_paused = true)]
async fn rg_3_recovery() {
    for rig in Rig::each(CIRCUIT) {
        let start = now();
        trip(&rig).await;
        let healed = loop {
            advance(10 * MS).await;
            if now() - start >= 100 * MS {
                rig.backend.fails(false);
            }
            if rig.call().await.is_ok() {
                break now() - start;
            }
        };
        assert!((200 * MS..400 * MS).contains(&healed), "{}: {healed:?}", rig.kind);
        assert_eq!(rig.backend.calls(), 4, "three failures and one probe");
    }
}

/// RG-4: exactly as many calls as attempts were allowed.
#[tokio::test(start_paused = true)]
async fn rg_4_attempts() {
    for attempts in [1, 3, 5, 10] {
        for rig in Rig::each(Settings { retry: Some((attempts, MS, None)), ..Settings::default() }) {
            rig.backend.fails(true);
            assert!(is_down(&rig.call().await));
            assert_eq!(rig.backend.calls(), attempts, "{}", rig.kind);
        }
    }
}

/// RG-5: of five circuits one is open, and four serve.
#[tokio::test(start_paused = true)]
async fn rg_5_independence() {
    let rigs: Vec<Rig> = [(); 5].into_iter().flat_map(|()| Rig::each(CIRCUIT)).collect();
    trip(&rigs[0]).await;
    trip(&rigs[1]).await;
    for (number, rig) in rigs.iter().enumerate() {
        assert_eq!(rig.call().await.is_ok(), number >= 2, "{number}: {}", rig.kind);
    }
}
