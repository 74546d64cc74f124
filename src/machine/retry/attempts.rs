use std::fmt;
use std::time::Duration;

use super::backoff::Backoff;
use crate::machine::Rng;
use crate::machine::timestamp::Timestamp;

/// The rules of a retry policy, checked.
#[derive(Clone, Debug)]
pub(crate) struct RetrySettings {
    /// Including the first.
    pub(crate) attempts: u32,
    pub(crate) backoff: Backoff,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_retry_after: Duration,
}

pub(crate) const DEFAULT_ATTEMPTS: u32 = 3;
pub(crate) const DEFAULT_BASE: Duration = Duration::from_millis(500);
pub(crate) const DEFAULT_CAP: Duration = Duration::from_secs(30);
pub(crate) const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

impl Default for RetrySettings {
    fn default() -> RetrySettings {
        RetrySettings {
            attempts: DEFAULT_ATTEMPTS,
            backoff: Backoff::exponential(DEFAULT_BASE, DEFAULT_CAP),
            deadline: None,
            max_retry_after: DEFAULT_MAX_RETRY_AFTER,
        }
    }
}

/// How far a request has got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// Attempts that have started.
    pub(crate) attempts: u32,
    /// When the first one started; never, if that does not matter.
    pub(crate) started: Timestamp,
}

impl RetrySettings {
    /// The wait before the next attempt, unless there is to be none. `hint` is what the backend asked for.
    pub(crate) fn delay(&self, attempts: u32, hint: Option<Duration>, rng: Rng<'_>) -> Result<Duration, StopReason> {
        if attempts >= self.attempts {
            return Err(StopReason::AttemptsExhausted);
        }
        let Some(hint) = hint else { return Ok(self.backoff.delay(attempts - 1, rng)) };
        // The longest duration stands for more than the clock can represent, and exceeds any limit.
        if hint > self.max_retry_after || hint == Duration::MAX {
            return Err(StopReason::RetryAfterTooLong);
        }
        // Clients that got the same hint must not come back at the same instant.
        Ok(hint.saturating_add(self.backoff.delay(attempts - 1, rng)))
    }

    /// Whether a wait that starts now would end before the deadline.
    pub(crate) fn ends_in_time(&self, delay: Duration, started: Timestamp, now: Timestamp) -> bool {
        self.deadline.is_none_or(|deadline| {
            let end = started.after(deadline);
            end == Timestamp::NEVER || now.after(delay) < end
        })
    }
}

/// What to do about the result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Return it to the caller: it is good, or trying again would not help.
    Stop,
    /// Try again after the backoff's delay.
    Retry,
    /// Try again after this delay plus the backoff's, which spreads out clients that got the same hint. A delay beyond
    /// the policy's [`max_retry_after`](crate::retry::RetryBuilder::max_retry_after) is not waited for: it ends the
    /// retries.
    RetryAfter(Duration),
    /// Return it to the caller, who would have got another attempt, but the backend asked not to be tried again.
    ToldNotTo,
}

/// `true` is [`Decision::Retry`], `false` is [`Decision::Stop`].
impl From<bool> for Decision {
    fn from(again: bool) -> Decision {
        if again { Decision::Retry } else { Decision::Stop }
    }
}

/// Why a request is not retried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// A retry returned a response that is not retried.
    Succeeded,
    /// The error is not retryable.
    NotRetryable,
    /// All attempts have been made.
    AttemptsExhausted,
    /// There is no copy of the request.
    NotReplayable,
    /// The retry budget is empty.
    BudgetEmpty,
    /// The wait would not have ended before the deadline.
    DeadlineReached,
    /// The backend asked for a longer wait than is allowed.
    RetryAfterTooLong,
    /// The inner service failed to become ready for the next attempt.
    NotReady,
    /// The backend asked not to be tried again.
    ToldNotTo,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StopReason::Succeeded => "succeeded",
            StopReason::NotRetryable => "not retryable",
            StopReason::AttemptsExhausted => "attempts exhausted",
            StopReason::NotReplayable => "not replayable",
            StopReason::BudgetEmpty => "budget empty",
            StopReason::DeadlineReached => "deadline reached",
            StopReason::RetryAfterTooLong => "retry-after too long",
            StopReason::NotReady => "not ready",
            StopReason::ToldNotTo => "told not to",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::retry::backoff::Jitter;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings() -> RetrySettings {
        RetrySettings { backoff: Backoff::exponential(SECOND, 4 * SECOND).jitter(Jitter::None), ..Default::default() }
    }

    fn delay(settings: &RetrySettings, attempts: u32, hint: Option<Duration>) -> Result<Duration, StopReason> {
        settings.delay(attempts, hint, &mut || panic!("no jitter, no draw"))
    }

    /// RT-01: attempts count the first. RT-04: the first delay is number 0.
    #[test]
    fn delays_in_a_row() {
        let settings = RetrySettings { attempts: 4, ..settings() };
        let delays: Vec<_> = (1..6).map(|attempts| delay(&settings, attempts, None)).collect();
        let exhausted = Err(StopReason::AttemptsExhausted);
        assert_eq!(delays, [Ok(SECOND), Ok(2 * SECOND), Ok(4 * SECOND), exhausted, exhausted]);
    }

    /// RT-10: the hint plus the backoff, up to the hint's own cap.
    #[test]
    fn hints() {
        let settings = settings();
        let cap = settings.max_retry_after;
        let too_long = Err(StopReason::RetryAfterTooLong);
        for (hint, expected) in [
            (Duration::ZERO, Ok(SECOND)),
            (SECOND / 2, Ok(SECOND + SECOND / 2)),
            (7 * SECOND, Ok(8 * SECOND)),
            (cap, Ok(cap + SECOND)),
            (cap + Duration::from_nanos(1), too_long),
            (Duration::MAX, too_long),
        ] {
            assert_eq!(delay(&settings, 1, Some(hint)), expected, "{hint:?}");
        }
        let unlimited = RetrySettings { max_retry_after: Duration::MAX, ..settings };
        assert_eq!(delay(&unlimited, 1, Some(Duration::MAX)), too_long);
        assert_eq!(delay(&unlimited, 1, Some(Duration::MAX - SECOND / 2)), Ok(Duration::MAX));
    }

    /// RT-11: a sleep that ends at the deadline is too late.
    #[test]
    fn deadline() {
        let settings = RetrySettings { deadline: Some(10 * SECOND), ..settings() };
        let start = Timestamp::from_nanos(5);
        let at = |seconds| start.after(seconds * SECOND);
        assert!(settings.ends_in_time(SECOND, start, at(8)));
        assert!(!settings.ends_in_time(SECOND, start, at(9)));
        assert!(settings.ends_in_time(Duration::ZERO, start, at(9)));
        assert!(!settings.ends_in_time(Duration::ZERO, start, at(10)));
        assert!(!settings.ends_in_time(Duration::MAX, start, start));
        for endless in [None, Some(Duration::MAX)] {
            let settings = RetrySettings { deadline: endless, ..settings.clone() };
            assert!(settings.ends_in_time(Duration::MAX, start, at(9)));
        }
    }
}
