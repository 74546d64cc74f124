//! What must hold in every order of threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{CircuitBreaker, Event, Rejected, Verdict};

/// SO-09: `retry_after` is never longer than the open time, though a caller may read the clock and then have to wait
/// for others that open the circuit meanwhile.
#[test]
fn so_09_retry_after_is_never_longer_than_the_open_time() {
    const OPEN: Duration = Duration::from_micros(20);
    // Events are exact, where a rejection is rounded up.
    let told = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&told);
    let observer = move |event: &Event<'_>| {
        if let Event::CircuitBreaker(CircuitBreakerEvent::Rejected { retry_after: Some(time), .. }) = event {
            seen.fetch_max(time.as_nanos() as u64, Ordering::Relaxed);
        }
    };
    let builder = CircuitBreaker::builder("short").consecutive_failures(1).open_for(OPEN).observer(observer);
    let circuit_breaker = &builder.build().unwrap();
    let longest = || {
        let mut longest = Duration::ZERO;
        for _ in 0..100_000 {
            match circuit_breaker.admit() {
                Ok(permit) => permit.settle(Verdict::Failure),
                Err(Rejected::CircuitOpen { retry_after, .. }) => {
                    assert!(retry_after.get().is_none_or(|time| time == Duration::from_millis(1)), "{retry_after:?}");
                }
                Err(other) => panic!("{other}"),
            }
            longest = longest.max(circuit_breaker.snapshot().retry_after.unwrap_or_default());
        }
        longest
    };
    let longest = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(longest));
        threads.map(|thread| thread.join().unwrap())
    });
    let told = Duration::from_nanos(told.load(Ordering::Relaxed));
    assert!(longest.into_iter().chain([told]).all(|longest| longest <= OPEN), "{longest:?}, {told:?}");
    // Otherwise it would prove nothing.
    assert!(longest.into_iter().chain([told]).all(|longest| longest > Duration::ZERO));
}
