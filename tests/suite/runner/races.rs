//! Requests that come while the service is told to end, in real time.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use seaworthy::{BoxError, Phase};
use tokio_test::{assert_ready_err, task};
use tower::{Layer, ServiceExt, service_fn};

use super::{builder, wrong};

/// RN-05: a request that was looked at while the service was serving, and is turned away because it no longer is, is
/// not taken for a request in flight: nothing went wrong.
#[test]
fn turned_away_at_the_last_moment() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..2_000_u64 {
        let runner = runtime.block_on(async { builder().build().unwrap() });
        let health = runner.health().clone();
        health.advance(Phase::Serving);
        // Between the look at the phase and the count: until the phase has changed, and a little longer.
        let (phase, asked) = (health.clone(), Arc::new(AtomicU64::new(0)));
        let counts = Arc::clone(&asked);
        let check = move || {
            counts.fetch_add(1, Ordering::Relaxed);
            while phase.phase() == Phase::Serving {
                spin_loop();
            }
            (0..(round * 7) % 400).for_each(|_| spin_loop());
            true
        };
        health.require("slow", check).unwrap();
        let service =
            health.readiness_layer().refuse_while_draining().layer(service_fn(async |()| Ok::<_, BoxError>(())));
        let caller = thread::spawn(move || {
            assert_ready_err!(task::spawn(service.oneshot(())).poll());
        });
        while asked.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        runner.handle().stop();
        let result = runtime.block_on(runner.run());
        caller.join().unwrap();
        assert_eq!(wrong(result), [""; 0], "round {round}");
    }
}
