//! Whom a circuit breaker wakes that many services wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};

use seaworthy::{CircuitBreaker, Verdict};
use tower::{Layer, Service};

use crate::kit::{HOUR, Inner, enter_busy_runtime};

#[derive(Default)]
struct Counter(AtomicU64);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Its only probe is in flight and 100,000 services wait; the probe is given back, so that one may pass.
pub fn woken() -> u64 {
    enter_busy_runtime();
    let builder = CircuitBreaker::builder("wait").max_concurrent_probes(1).open_for(HOUR);
    let circuit_breaker = builder.build().expect("the settings are valid");
    // Held open for a moment while it was closed, it may be probed at once.
    drop(circuit_breaker.hold_open());
    let probe = circuit_breaker.admit().expect("it may be probed");
    let counter = Arc::new(Counter::default());
    let waker = Waker::from(counter.clone());
    let layer = circuit_breaker.layer().wait();
    let mut services: Vec<_> = (0..100_000).map(|_| layer.layer(Inner::<u64>::new())).collect();
    for service in &mut services {
        assert!(service.poll_ready(&mut Context::from_waker(&waker)).is_pending(), "it waits");
    }
    probe.settle(Verdict::Ignored);
    counter.0.load(Ordering::Relaxed)
}
