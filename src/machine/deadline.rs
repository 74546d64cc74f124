use std::time::Duration;

use super::timestamp::Timestamp;

/// What a layer or a policy makes of the deadlines of its calls, as it was given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeadlineLimits {
    pub(crate) default: Option<Duration>,
    pub(crate) max: Option<Duration>,
    pub(crate) least: Option<Duration>,
}

impl DeadlineLimits {
    /// The setting that breaks a rule, its value, and the rule.
    pub(crate) fn flaw(&self) -> Option<(&'static str, Duration, &'static str)> {
        let DeadlineLimits { default, max, least } = *self;
        let zero = [("max", max), ("default", default), ("least", least)].into_iter();
        let mut zero = zero.filter(|(_, time)| *time == Some(Duration::ZERO));
        if let Some((field, _)) = zero.next() {
            return Some((field, Duration::ZERO, "must be longer than zero"));
        }
        [
            ("default", default, max, "must not be above `max`"),
            ("least", least, max, "must not be above `max`"),
            ("least", least, default, "must not be above `default`"),
        ]
        .into_iter()
        .find_map(|(field, time, most, rule)| (time? > most?).then_some((field, time?, rule)))
    }

    /// These, if any is set.
    pub(crate) fn if_set(self) -> Option<DeadlineLimits> {
        self.default.or(self.max).or(self.least).map(|_| self)
    }

    /// The deadline of a call that begins now under the `current` one, if it has any. A call with less left than it
    /// needs is one whose deadline has just passed.
    #[cold]
    pub(crate) fn for_call(&self, current: Timestamp, now: impl FnOnce() -> Timestamp) -> Option<Timestamp> {
        let DeadlineLimits { default, max, least } = *self;
        if current == Timestamp::NEVER {
            return default.map(|time| now().after(time));
        }
        let now = now();
        let deadline = max.map_or(current, |most| current.min(now.after(most)));
        let is_too_little = least.is_some_and(|least| deadline.since(now) < least);
        Some(if is_too_little { deadline.min(now) } else { deadline })
    }
}
