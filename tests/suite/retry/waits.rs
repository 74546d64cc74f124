use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use seaworthy::retry::{Decision, RetryLayer, StopReason};
use seaworthy::{Backoff, BoxError, Jitter, RetryPolicy};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceExt};

use super::{Flaky, Told, poll_once, quick};
use crate::support::{MS, SECOND, advance, now};

async fn fail(layer: &RetryLayer) {
    layer.layer(Flaky::new(u32::MAX).0).oneshot(()).await.unwrap_err();
}

/// RT-02: there is a wait between two attempts, and none after the last.
#[tokio::test(start_paused = true)]
async fn no_wait_after_the_last_attempt() {
    let backoff = Backoff::exponential(SECOND, 3 * SECOND).jitter(Jitter::None);
    let layer = quick(5).backoff(backoff).build().unwrap().layer();
    let start = now();
    fail(&layer).await;
    assert_eq!(start.elapsed(), (1 + 2 + 3 + 3) * SECOND);
}

/// RT-04: the defaults: 3 attempts, full jitter over 500 ms and then over 1 s.
#[tokio::test(start_paused = true)]
async fn default_waits() {
    let told = Told::default();
    let layer = told.by(RetryPolicy::builder("test")).no_budget().random_seed(1).build().unwrap().layer();
    let mut longest = [Duration::ZERO; 2];
    for _ in 0..300 {
        fail(&layer).await;
        let delays = told.delays();
        assert_eq!(delays.len(), 2);
        for (longest, delay) in longest.iter_mut().zip(delays) {
            *longest = delay.max(*longest);
        }
    }
    assert!((450 * MS..=500 * MS).contains(&longest[0]), "{longest:?}");
    assert!((900 * MS..=SECOND).contains(&longest[1]), "{longest:?}");
}

/// RT-04: never above the cap, with any jitter; equal jitter is never below half, and no jitter is exact.
#[tokio::test(start_paused = true)]
async fn ranges() {
    for (jitter, least) in [(Jitter::None, 1.0), (Jitter::Equal, 0.5), (Jitter::Full, 0.0)] {
        let told = Told::default();
        let backoff = Backoff::exponential(SECOND, 4 * SECOND).jitter(jitter);
        let layer = told.by(quick(8)).backoff(backoff).random_seed(7).build().unwrap().layer();
        fail(&layer).await;
        for (delay, most) in told.delays().into_iter().zip([1, 2, 4, 4, 4, 4, 4]) {
            let most = most * SECOND;
            assert!(most.mul_f64(least) <= delay && delay <= most, "{jitter:?}: {delay:?} of {most:?}");
        }
    }
}

/// RT-04: 200 requests through one layer give at least 190 different delays.
#[tokio::test(start_paused = true)]
async fn two_hundred_requests() {
    let told = Told::default();
    let layer = told.by(quick(2)).backoff(Backoff::exponential(SECOND, SECOND)).build().unwrap().layer();
    for _ in 0..200 {
        fail(&layer).await;
    }
    let delays = told.delays();
    assert_eq!(delays.len(), 200);
    let different: HashSet<_> = delays.iter().collect();
    assert!(different.len() >= 190, "{}", different.len());
    // Uniform over a second: a fifth of them in each fifth, give or take.
    for fifth in 0..5 {
        let range = fifth * SECOND / 5..(fifth + 1) * SECOND / 5;
        let count = delays.iter().filter(|delay| range.contains(delay)).count();
        assert!((10..80).contains(&count), "{count} in {range:?}");
    }
}

/// RT-05: a seed repeats the delays; another one, or none, gives others.
#[tokio::test(start_paused = true)]
async fn seeded() {
    let delays = async |seed: Option<u64>| {
        let told = Told::default();
        let builder = told.by(quick(6)).backoff(Backoff::exponential(SECOND, 60 * SECOND));
        let builder = match seed {
            Some(seed) => builder.random_seed(seed),
            None => builder,
        };
        fail(&builder.build().unwrap().layer()).await;
        told.delays()
    };
    assert_eq!(delays(Some(7)).await, delays(Some(7)).await);
    assert_ne!(delays(Some(7)).await, delays(Some(8)).await);
    assert_ne!(delays(None).await, delays(None).await);
}

/// RT-15: a base of zero means no wait, and no wait makes no timer: it works without a runtime, within one poll.
#[test]
fn no_wait_never_sleeps() {
    let zero = Duration::ZERO;
    for backoff in [Backoff::constant(zero), Backoff::exponential(zero, SECOND), Backoff::exponential(zero, zero)] {
        let (service, calls) = Flaky::new(u32::MAX);
        let layer = quick(5).backoff(backoff).build().unwrap().layer();
        let mut call = Box::pin(layer.layer(service).oneshot(()));
        assert!(poll_once(call.as_mut()).is_ready());
        assert_eq!(calls.load(Ordering::Relaxed), 5);
    }
}

/// A wait that the clock cannot represent means no limit, not a panic; it ends when the call is dropped.
#[tokio::test(start_paused = true)]
async fn a_wait_without_end() {
    let (service, calls) = Flaky::new(u32::MAX);
    let layer = quick(2).backoff(Backoff::constant(Duration::MAX)).build().unwrap().layer();
    let mut call = task::spawn(layer.layer(service).oneshot(()));
    assert_pending!(call.poll());
    advance(365 * 24 * 3600 * SECOND).await;
    assert_pending!(call.poll());
    assert!(!call.is_woken());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// RT-11: if the wait would end at the deadline or after it, the last result comes back at once.
#[tokio::test(start_paused = true)]
async fn deadline() {
    for (deadline, attempts) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (100, 5)] {
        let told = Told::default();
        let backoff = Backoff::constant(SECOND);
        let policy = told.by(quick(5)).backoff(backoff).deadline(deadline * SECOND).build().unwrap();
        let start = now();
        fail(&policy.layer()).await;
        // There was no wait for an attempt that was not made.
        assert_eq!(start.elapsed(), (attempts - 1) * SECOND);
        let reason = if attempts < 5 { StopReason::DeadlineReached } else { StopReason::AttemptsExhausted };
        assert_eq!(told.stops(), [(attempts, reason)], "{deadline}");
    }
}

/// RT-11: the deadline covers the attempts, too, and does not cut off the one in flight.
#[tokio::test(start_paused = true)]
async fn deadline_covers_attempts() {
    for (takes, attempts) in [(2, 2), (4, 1), (60, 1)] {
        let told = Told::default();
        let backoff = Backoff::constant(SECOND);
        let policy = told.by(quick(9)).backoff(backoff).deadline(5 * SECOND).build().unwrap();
        let start = now();
        let attempt = async || {
            advance(takes * SECOND).await;
            Err::<(), BoxError>("no".into())
        };
        policy.run(attempt).await.unwrap_err();
        assert_eq!(start.elapsed(), takes * SECOND * attempts + (attempts - 1) * SECOND);
        assert_eq!(told.stops(), [(attempts, StopReason::DeadlineReached)]);
    }
}

/// RT-11: without a wait, the deadline itself ends the retrying. A deadline that the clock cannot represent means no
/// limit.
#[tokio::test(start_paused = true)]
async fn deadline_without_waits() {
    let told = Told::default();
    let policy = told.by(quick(u32::MAX)).deadline(10 * MS).build().unwrap();
    policy
        .run(async || {
            advance(4 * MS).await;
            Err::<(), BoxError>("no".into())
        })
        .await
        .unwrap_err();
    assert_eq!(told.stops(), [(3, StopReason::DeadlineReached)]);

    let policy = told.by(quick(4)).deadline(Duration::MAX).build().unwrap();
    fail(&policy.layer()).await;
    assert_eq!(told.stops(), [(4, StopReason::AttemptsExhausted)]);
}

/// DR-4: a deadline of 100 ms and 100 attempts end in time; success on the third attempt is three calls.
#[tokio::test(start_paused = true)]
async fn drill() {
    let (service, calls) = Flaky::new(u32::MAX);
    let backoff = Backoff::constant(10 * MS);
    let layer = quick(100).backoff(backoff).deadline(100 * MS).build().unwrap().layer();
    let start = now();
    layer.layer(service).oneshot(()).await.unwrap_err();
    assert!(start.elapsed() < 500 * MS);
    assert_eq!(calls.load(Ordering::Relaxed), 10);

    let (service, calls) = Flaky::new(2);
    assert_eq!(layer.layer(service).oneshot(()).await.unwrap(), 3);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

/// RT-10: the wait is what a decision asks for, up to a cap of its own, plus the backoff.
#[tokio::test(start_paused = true)]
async fn hints() {
    let most = 30 * SECOND;
    for (hint, expected) in [
        (Duration::ZERO, Some(SECOND)),
        (MS, Some(SECOND + MS)),
        (7 * SECOND, Some(8 * SECOND)),
        (most, Some(most + SECOND)),
        (most + MS, None),
        (Duration::MAX, None),
    ] {
        let told = Told::default();
        let policy = told.by(quick(2)).backoff(Backoff::constant(SECOND)).build().unwrap();
        let layer = policy.layer().retry_if(move |_: &Result<u32, BoxError>| Decision::RetryAfter(hint));
        let start = now();
        layer.layer(Flaky::new(0).0).oneshot(()).await.unwrap();
        assert_eq!(start.elapsed(), expected.unwrap_or_default());
        let stop = expected.map_or((1, StopReason::RetryAfterTooLong), |_| (2, StopReason::AttemptsExhausted));
        assert_eq!(told.stops(), [stop], "{hint:?}");
    }
}

/// RT-10: the cap of the requested wait can be set; the backoff's own cap does not limit it.
#[tokio::test(start_paused = true)]
async fn hint_cap() {
    let told = Told::default();
    let policy = told.by(quick(2)).max_retry_after(SECOND).build().unwrap();
    for (hint, attempts) in [(SECOND, 2), (SECOND + MS, 1)] {
        let layer = policy.layer().retry_if(move |_: &Result<u32, BoxError>| Decision::RetryAfter(hint));
        layer.layer(Flaky::new(0).0).oneshot(()).await.unwrap();
        assert_eq!(told.stops()[0].0, attempts);
    }
}

/// The wait ends when it should, by the clock, and the task is woken then and not before.
#[tokio::test(start_paused = true)]
async fn woken_once() {
    let (service, calls) = Flaky::new(1);
    let layer = quick(2).backoff(Backoff::constant(SECOND)).build().unwrap().layer();
    let mut call = task::spawn(layer.layer(service).oneshot(()));
    assert_pending!(call.poll());
    advance(SECOND - MS).await;
    assert!(!call.is_woken());
    assert_pending!(call.poll());
    advance(MS).await;
    assert!(call.is_woken());
    assert_eq!(assert_ready!(call.poll()).unwrap(), 2);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}
