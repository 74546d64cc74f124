use std::time::Duration;

/// A point on a monotonic scale, in nanoseconds. The last one is never reached: it stands for "without end".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) const NEVER: Moment = Moment(u64::MAX);

    #[inline]
    pub(crate) const fn from_nanos(nanos: u64) -> Moment {
        Moment(nanos)
    }

    #[inline]
    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment and `span` more, or never if that is too far away to be told.
    pub(crate) fn after(self, span: Duration) -> Moment {
        u64::try_from(span.as_nanos()).ok().and_then(|nanos| self.0.checked_add(nanos)).map_or(Moment::NEVER, Moment)
    }

    /// How long ago `earlier` was; zero if it is still to come.
    #[inline]
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_far_is_never() {
        let start = Moment::from_nanos(10);
        assert_eq!(start.after(Duration::from_nanos(5)), Moment::from_nanos(15));
        assert_eq!(start.after(Duration::MAX), Moment::NEVER);
        assert_eq!(start.after(Duration::from_nanos(u64::MAX - 9)), Moment::NEVER);
        assert_eq!(Moment::NEVER.after(Duration::ZERO), Moment::NEVER);
        assert_eq!(start.since(Moment::from_nanos(4)), Duration::from_nanos(6));
        assert_eq!(start.since(Moment::NEVER), Duration::ZERO);
    }
}
