//! What must hold in every order of threads.

use std::time::Duration;

use seaworthy::{CircuitBreaker, Rejected, Verdict};

/// SO-09: `retry_after` is never longer than the open time, though a caller may read the clock and then have to wait
/// for others that open the circuit meanwhile.
#[test]
fn so_09_retry_after_is_never_longer_than_the_open_time() {
    const OPEN: Duration = Duration::from_micros(20);
    let circuit_breaker = &CircuitBreaker::builder("short").consecutive_failures(1).open_for(OPEN).build().unwrap();
    let longest = || {
        let mut longest = Duration::ZERO;
        for _ in 0..100_000 {
            match circuit_breaker.admit() {
                Ok(permit) => permit.settle(Verdict::Failure),
                Err(Rejected::CircuitOpen { retry_after, .. }) => {
                    longest = longest.max(retry_after.unwrap_or_default())
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
    assert!(longest.into_iter().all(|longest| longest <= OPEN), "{longest:?}");
    // Otherwise it would prove nothing.
    assert!(longest.into_iter().all(|longest| longest > Duration::ZERO));
}
