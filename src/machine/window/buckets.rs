use std::time::Duration;

use crate::machine::timestamp::Timestamp;

/// What is counted, bucket by bucket.
pub(crate) trait BucketCounts: Copy + Default {
    /// Subtracts what a bucket that leaves has held.
    fn subtract(&mut self, gone: Self);
}

/// Ten buckets per span, plus the one being filled. A bucket leaves as a whole, when the latest event it can hold is as
/// old as the span: nothing leaves earlier, and nothing stays more than a tenth of the span longer.
#[derive(Debug)]
pub(crate) struct Buckets<T> {
    span: u128,
    /// The number of the newest bucket, counted from the beginning of time. Ten per nanosecond fit.
    newest: u128,
    sum: T,
    buckets: [T; BUCKETS],
}

/// How many buckets make up the span.
const PER_SPAN: u128 = 10;
const BUCKETS: usize = PER_SPAN as usize + 1;

impl<T: BucketCounts> Buckets<T> {
    pub(crate) fn new(span: Duration) -> Buckets<T> {
        // If the span is longer than the clock can represent, nothing ever leaves.
        Buckets { span: span.as_nanos(), newest: 0, sum: T::default(), buckets: [T::default(); BUCKETS] }
    }

    /// What all buckets hold.
    pub(crate) fn sum(&self) -> T {
        self.sum
    }

    /// The number of the bucket that `now` falls into.
    fn number(&self, now: Timestamp) -> u128 {
        u128::from(now.as_nanos()) * PER_SPAN / self.span
    }

    /// When the newest bucket ends.
    pub(crate) fn newest_ends(&self) -> Timestamp {
        let end = (self.newest + 1).saturating_mul(self.span).div_ceil(PER_SPAN);
        u64::try_from(end).map_or(Timestamp::NEVER, Timestamp::from_nanos)
    }

    /// Makes the bucket of `now` the newest. A clock read just before another thread's does not step back.
    pub(crate) fn rotate(&mut self, now: Timestamp) {
        let number = self.number(now);
        if number <= self.newest {
            return;
        }
        let steps = (number - self.newest).min(BUCKETS as u128);
        for step in 1..=steps {
            let gone = std::mem::take(&mut self.buckets[place(self.newest + step)]);
            self.sum.subtract(gone);
        }
        self.newest = number;
    }

    /// Counts something in the newest bucket.
    pub(crate) fn count(&mut self, add: impl Fn(&mut T)) {
        add(&mut self.buckets[place(self.newest)]);
        add(&mut self.sum);
    }

    pub(crate) fn clear(&mut self) {
        self.sum = T::default();
        self.buckets = [T::default(); BUCKETS];
    }
}

fn place(number: u128) -> usize {
    (number % BUCKETS as u128) as usize
}
