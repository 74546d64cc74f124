//! The only file that reads a clock: tokio's, so that tests can pause it.
#![allow(clippy::disallowed_methods, reason = "this is the file that the rest is sent to")]

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use tokio::time::Instant;
use tokio::time::Sleep;

use crate::machine::timestamp::Timestamp;

/// The origin of the scale lies far enough back that instants before the first reading of the real clock, where a
/// paused clock may stand, can be represented; ahead of it there is room for 400 years.
const ORIGIN: u64 = 1 << 62;

static FIRST_READING: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

/// Reads the clock.
#[inline]
pub(crate) fn now() -> Timestamp {
    #[cfg(test)]
    readings::count();
    timestamp(Instant::now())
}

#[inline]
pub(crate) fn timestamp(instant: Instant) -> Timestamp {
    let instant = instant.into_std();
    let origin = *FIRST_READING;
    let nanos = match instant.checked_duration_since(origin) {
        Some(later) => ORIGIN.saturating_add(nanos(later)),
        None => ORIGIN.saturating_sub(nanos(origin.duration_since(instant))),
    };
    // The last timestamp means "never", and the clock does not reach it.
    Timestamp::from_nanos(nanos.min(u64::MAX - 1))
}

#[inline]
fn nanos(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(span.subsec_nanos().into())
}

/// Waits until `moment`: not at all if it has passed, for ever if it is never or a time that the clock cannot
/// represent.
#[cfg(any(feature = "lifecycle", feature = "prober", feature = "server"))]
pub(crate) async fn until(moment: Timestamp) {
    if moment > now() {
        match instant(moment) {
            Some(instant) => tokio::time::sleep_until(instant).await,
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

/// The end of a span that begins now, or none if the clock cannot represent it.
#[inline]
fn end(span: Duration) -> Option<Instant> {
    // A span that does not fit the scale of timestamps means no limit here, too. One that does is far from the last
    // instant, near which tokio, which adds a little to round up, would panic.
    if span > Duration::from_nanos(u64::MAX) {
        return None;
    }
    #[cfg(test)]
    readings::count();
    Instant::now().checked_add(span)
}

/// Why a call has had its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUp {
    /// It took longer than this limit.
    Limit(Duration),
    /// Its deadline has passed.
    Deadline,
}

pin_project_lite::pin_project! {
    /// A timer that knows what its end means.
    #[derive(Debug)]
    pub(crate) struct Countdown {
        #[pin]
        sleep: Sleep,
        means: TimeUp,
    }
}

impl Countdown {
    /// Begins now; none if the clock cannot represent the end.
    #[inline]
    pub(crate) fn boxed(span: Duration) -> Option<Pin<Box<Countdown>>> {
        let end = end(span)?;
        Some(Box::pin(Countdown { sleep: tokio::time::sleep_until(end), means: TimeUp::Limit(span) }))
    }

    /// Begins now, and ends after `span` or at the deadline, whichever comes first; if both do at once, it is the span
    /// that ends. None if the clock cannot represent either.
    #[cold]
    pub(crate) fn until(span: Option<Duration>, deadline: Timestamp) -> Option<Pin<Box<Countdown>>> {
        let limit = span.and_then(|span| Some((end(span)?, TimeUp::Limit(span))));
        let (end, means) = match (limit, instant(deadline)) {
            (Some((limit, _)), Some(deadline)) if deadline < limit => (deadline, TimeUp::Deadline),
            (Some(limit), _) => limit,
            (None, deadline) => (deadline?, TimeUp::Deadline),
        };
        Some(Box::pin(Countdown { sleep: tokio::time::sleep_until(end), means }))
    }

    /// Ready when the time is up.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TimeUp> {
        let this = self.project();
        poll_elapsed(this.sleep, cx).map(|()| *this.means)
    }
}

/// A timer that can be reset; allocated when it is first needed. Until it is set it does not go off.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    pub(crate) fn at(moment: Timestamp) -> Alarm {
        let mut alarm = Alarm::default();
        alarm.set(moment);
        alarm
    }

    /// Goes off at `moment`, unless it was set before.
    pub(crate) fn set_once(&mut self, moment: Timestamp) {
        if self.0.is_none() {
            self.set(moment);
        }
    }

    /// Goes off at `moment`; never, if the clock cannot represent it.
    pub(crate) fn set(&mut self, moment: Timestamp) {
        match (&mut self.0, instant(moment)) {
            (Some(sleep), Some(instant)) => sleep.as_mut().reset(instant),
            (none, instant) => *none = instant.map(|instant| Box::pin(tokio::time::sleep_until(instant))),
        }
    }

    /// Ready once it has gone off.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Pending, |sleep| poll_elapsed(sleep.as_mut(), cx))
    }
}

/// Polls a timer alongside something that may use up its task's cooperative budget, even on every poll: the timer must
/// be checked regardless.
#[inline]
fn poll_elapsed(sleep: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    Pin::new(&mut tokio::task::unconstrained(sleep)).poll(cx)
}

/// Counts how often a test's thread reads the clock, to prove how many readings a path takes.
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
    use std::future::poll_fn;

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
        assert!(Alarm::at(Timestamp::NEVER).0.is_none());
        let until = now().after(Duration::from_millis(20));
        let mut alarm = Alarm::at(until);
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!(now() >= until);
    }

    #[test]
    fn instants_before_the_first_reading_are_told() {
        let origin = *FIRST_READING;
        let Some(earlier) = origin.checked_sub(Duration::from_nanos(3)) else { return };
        assert_eq!(timestamp(origin.into()).since(timestamp(earlier.into())), Duration::from_nanos(3));
    }
}
