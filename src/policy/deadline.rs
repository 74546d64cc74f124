use std::time::Duration;

use super::error::PolicyError;
use crate::context;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// What a policy makes of the deadlines of its calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DeadlineLimits {
    pub(super) default: Option<Duration>,
    pub(super) max: Option<Duration>,
    pub(super) least: Option<Duration>,
}

/// The paths of the settings.
const DEFAULT: &str = "deadline.default";
const MAX: &str = "deadline.max";
const LEAST: &str = "deadline.least";

impl DeadlineLimits {
    pub(super) fn check(&self, policy: Subject<'_>) -> Result<(), PolicyError> {
        let DeadlineLimits { default, max, least } = *self;
        for (field, time) in [(DEFAULT, default), (MAX, max), (LEAST, least)] {
            policy.time(field, time).map_err(|error: ConfigError| PolicyError::new(error.field(), error.rule()))?;
        }
        let is_above = |time: Option<Duration>, most: Option<Duration>| time.zip(most).is_some_and(|(a, b)| a > b);
        for (field, time, most, rule) in [
            (DEFAULT, default, max, "must not be above `max`"),
            (LEAST, least, max, "must not be above `max`"),
            (LEAST, least, default, "must not be above `default`"),
        ] {
            if is_above(time, most) {
                return Err(PolicyError::new(field, rule));
            }
        }
        Ok(())
    }

    /// These, if any is set.
    pub(super) fn if_set(self) -> Option<DeadlineLimits> {
        self.default.or(self.max).or(self.least).map(|_| self)
    }

    /// The deadline of a call that begins now, if it has one. A call with less left than it needs is one whose deadline
    /// has just passed.
    #[cold]
    pub(super) fn for_call(&self) -> Option<Timestamp> {
        let DeadlineLimits { default, max, least } = *self;
        let current = context::deadline();
        if current == Timestamp::NEVER {
            return default.map(|time| time::now().after(time));
        }
        let now = time::now();
        let deadline = max.map_or(current, |most| current.min(now.after(most)));
        let is_too_little = least.is_some_and(|least| deadline.since(now) < least);
        Some(if is_too_little { deadline.min(now) } else { deadline })
    }
}
