//! Moments in one atomic word, so that a look at a term reads it without a lock.

use std::time::Duration;

/// Of the nanoseconds in a second.
const BITS: u32 = 30;

/// Seconds and nanoseconds side by side: in the same order as the durations, and without a multiplication. One of more
/// than 500 years is as long as the longest.
#[inline]
pub(crate) fn pack(span: Duration) -> u64 {
    let seconds = span.as_secs();
    if seconds >> (u64::BITS - BITS) != 0 {
        return u64::MAX;
    }
    seconds << BITS | u64::from(span.subsec_nanos())
}

pub(crate) fn unpack(packed: u64) -> Duration {
    let nanos = u32::try_from(packed & ((1 << BITS) - 1)).unwrap_or(u32::MAX);
    // Those of the longest are more than a second, which only makes it longer.
    Duration::new(packed >> BITS, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LE-04: a deadline is kept to the nanosecond, in order, and the longest is far away.
    #[test]
    fn packed_in_order() {
        let second = Duration::from_secs(1);
        let nano = Duration::from_nanos(1);
        let spans = [Duration::ZERO, nano, second - nano, second, second + nano, 3_600 * second, u32::MAX * second];
        for pair in spans.windows(2) {
            assert!(pack(pair[0]) < pack(pair[1]), "{pair:?}");
        }
        assert_eq!(spans.map(|span| unpack(pack(span))), spans);
        assert_eq!(pack(Duration::MAX), u64::MAX);
        assert!(unpack(u64::MAX) > u32::MAX * second);
    }
}
