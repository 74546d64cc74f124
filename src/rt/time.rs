//! The only file that reads a clock: tokio's, so that tests can pause it.
#![allow(clippy::disallowed_methods, reason = "this is the file that the rest is sent to")]

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::machine::timestamp::Timestamp;

/// The zero of the scale lies so far back that a paused clock, which may stand before the first reading of the real
/// one, can be told; what is ahead of it lasts for 400 years.
const ORIGIN: u64 = 1 << 62;

static FIRST_READING: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

/// Reads the clock.
#[inline]
pub(crate) fn now() -> Timestamp {
    #[cfg(test)]
    readings::count();
    moment(Instant::now())
}

#[inline]
fn moment(instant: Instant) -> Timestamp {
    let instant = instant.into_std();
    let origin = *FIRST_READING;
    let nanos = match instant.checked_duration_since(origin) {
        Some(later) => ORIGIN.saturating_add(nanos(later)),
        None => ORIGIN.saturating_sub(nanos(origin.duration_since(instant))),
    };
    // The last moment is "never", which the clock does not reach.
    Timestamp::from_nanos(nanos.min(u64::MAX - 1))
}

#[inline]
fn nanos(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(span.subsec_nanos().into())
}

/// A timer that ends at `moment`, or none if that is never or too far away to be told.
pub(crate) fn sleep_until(moment: Timestamp) -> Option<Sleep> {
    instant(moment).map(tokio::time::sleep_until)
}

/// Waits until `moment`; not at all if it has passed, and for ever if that is never or too far away to be told.
#[cfg(any(feature = "lifecycle", feature = "server"))]
pub(crate) async fn until(moment: Timestamp) {
    if moment > now() {
        match sleep_until(moment) {
            Some(sleep) => sleep.await,
            None => std::future::pending().await,
        }
    }
}

fn instant(moment: Timestamp) -> Option<Instant> {
    if moment == Timestamp::NEVER {
        return None;
    }
    let after_origin = moment.as_nanos().checked_sub(ORIGIN);
    let instant = match after_origin {
        Some(nanos) => FIRST_READING.checked_add(Duration::from_nanos(nanos)),
        None => FIRST_READING.checked_sub(Duration::from_nanos(ORIGIN - moment.as_nanos())),
    };
    instant.map(Instant::from_std)
}

/// The end of a span that begins now; none if that is too far away to be told.
#[inline]
fn end(span: Duration) -> Option<Instant> {
    // What has no room on the scale of moments is without end here, too. What has is far from the last instant, beyond
    // which tokio, which adds a little to round up, would panic.
    if span > Duration::from_nanos(u64::MAX) {
        return None;
    }
    #[cfg(test)]
    readings::count();
    Instant::now().checked_add(span)
}

pin_project_lite::pin_project! {
    /// A timer that remembers for how long it was set.
    #[derive(Debug)]
    pub(crate) struct Countdown {
        #[pin]
        sleep: Sleep,
        span: Duration,
    }
}

impl Countdown {
    /// Begins now; none if the end is too far away to be told.
    #[inline]
    pub(crate) fn boxed(span: Duration) -> Option<Pin<Box<Countdown>>> {
        let end = end(span)?;
        Some(Box::pin(Countdown { sleep: tokio::time::sleep_until(end), span }))
    }

    /// Ready, with the span, when it is over.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Duration> {
        let this = self.project();
        poll_elapsed(this.sleep, cx).map(|()| *this.span)
    }
}

/// A timer that can be set again and again; made when it is first needed.
#[cfg(any(feature = "http", feature = "lifecycle"))]
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

#[cfg(any(feature = "http", feature = "lifecycle"))]
impl Alarm {
    /// Goes off at `moment`; never, if that is too far away to be told.
    pub(crate) fn set(&mut self, moment: Timestamp) {
        match (&mut self.0, instant(moment)) {
            (Some(sleep), Some(instant)) => sleep.as_mut().reset(instant),
            (none, instant) => *none = instant.map(|instant| Box::pin(tokio::time::sleep_until(instant))),
        }
    }

    /// Ready when it has gone off.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Pending, |sleep| poll_elapsed(sleep.as_mut(), cx))
    }
}

/// Polls a timer beside something that may have used up the cooperative budget of its task, and may do so at every
/// poll: the timer must be looked at all the same.
#[inline]
fn poll_elapsed(sleep: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    Pin::new(&mut tokio::task::unconstrained(sleep)).poll(cx)
}

/// The time of day, which HTTP dates are told in. Nothing can pause it.
#[cfg(feature = "http")]
pub(crate) fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Counts the readings of a test's thread, to prove how many a path takes.
#[cfg(test)]
pub(crate) mod readings {
    use std::cell::Cell;

    thread_local!(static READINGS: Cell<u64> = const { Cell::new(0) });

    pub(super) fn count() {
        READINGS.set(READINGS.get() + 1);
    }

    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let before = READINGS.get();
        let result = work();
        (result, READINGS.get() - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_told_to_the_nanosecond() {
        let start = now();
        tokio::time::advance(Duration::from_nanos(7)).await;
        assert_eq!(now().since(start), Duration::from_nanos(7));
        tokio::time::advance(Duration::from_secs(365 * 24 * 3600)).await;
        assert_eq!(now().since(start), Duration::from_secs(365 * 24 * 3600) + Duration::from_nanos(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_ends_when_the_clock_says_so() {
        assert!(sleep_until(Timestamp::NEVER).is_none());
        let until = now().after(Duration::from_millis(20));
        sleep_until(until).expect("near enough").await;
        assert!(now() >= until);
    }

    #[test]
    fn instants_before_the_first_reading_are_told() {
        let origin = *FIRST_READING;
        let Some(earlier) = origin.checked_sub(Duration::from_nanos(3)) else { return };
        assert_eq!(moment(origin.into()).since(moment(earlier.into())), Duration::from_nanos(3));
    }
}
