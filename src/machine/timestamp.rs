use std::time::Duration;

/// A point on a monotonic scale, in nanoseconds. The last one is never reached: it means "never".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) const NEVER: Timestamp = Timestamp(u64::MAX);

    #[inline]
    pub(crate) const fn from_nanos(nanos: u64) -> Timestamp {
        Timestamp(nanos)
    }

    #[inline]
    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time plus `span`, or never if the clock cannot represent that.
    pub(crate) fn after(self, span: Duration) -> Timestamp {
        u64::try_from(span.as_nanos())
            .ok()
            .and_then(|nanos| self.0.checked_add(nanos))
            .map_or(Timestamp::NEVER, Timestamp)
    }

    /// How long ago `earlier` was; zero if it has yet to come.
    #[inline]
    pub(crate) fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_far_is_never() {
        let start = Timestamp::from_nanos(10);
        assert_eq!(start.after(Duration::from_nanos(5)), Timestamp::from_nanos(15));
        assert_eq!(start.after(Duration::MAX), Timestamp::NEVER);
        assert_eq!(start.after(Duration::from_nanos(u64::MAX - 9)), Timestamp::NEVER);
        assert_eq!(Timestamp::NEVER.after(Duration::ZERO), Timestamp::NEVER);
        assert_eq!(start.since(Timestamp::from_nanos(4)), Duration::from_nanos(6));
        assert_eq!(start.since(Timestamp::NEVER), Duration::ZERO);
    }
}
