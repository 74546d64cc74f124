//! What a probe costs the prober, with many targets. They are due all the time, so that the prober is never idle.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seaworthy::BoxError;
use seaworthy::prober::{ProbePolicy, Prober};

const SPAN: Duration = Duration::from_millis(200);

/// Nanoseconds a probe, the best of some spans.
fn a_probe(targets: u32) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("threads can be parked here").block_on(async {
        let policy = ProbePolicy::builder().interval(Duration::from_nanos(1)).timeout(10 * SPAN).jitter(Duration::ZERO);
        let policy = policy.start_period(Duration::ZERO).build().expect("the settings are valid");
        let prober = Prober::builder().max_concurrent(targets as usize).build().expect("the settings are valid");
        let probes = Arc::new(AtomicU64::new(0));
        for target in 0..targets {
            let probes = probes.clone();
            let probe = move || {
                probes.fetch_add(1, Ordering::Relaxed);
                ready(Ok::<_, BoxError>(()))
            };
            prober.add(format!("target-{target}"), policy, probe).expect("its name is new");
        }
        let _task = prober.spawn();
        let mut best = u64::MAX;
        for _ in 0..7 {
            let (start, before) = (Instant::now(), probes.load(Ordering::Relaxed));
            tokio::time::sleep(SPAN).await;
            let probes = probes.load(Ordering::Relaxed) - before;
            assert!(probes > u64::from(targets), "each is probed again and again: {probes}");
            best = best.min(start.elapsed().as_nanos() as u64 / probes);
        }
        best
    })
}

pub fn many_targets() -> u64 {
    a_probe(10_000)
}

pub fn fewer_targets() -> u64 {
    a_probe(2_500)
}
