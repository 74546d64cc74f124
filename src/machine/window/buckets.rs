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
    /// When that one ends, and where it is. Known, because divisions cost more than all else that is done to them.
    newest_ends: Timestamp,
    newest_at: usize,
    sum: T,
    buckets: [T; BUCKETS],
}

/// How many buckets make up the span.
const PER_SPAN: u128 = 10;
const BUCKETS: usize = PER_SPAN as usize + 1;

impl<T: BucketCounts> Buckets<T> {
    pub(crate) fn new(span: Duration) -> Buckets<T> {
        // If the span is longer than the clock can represent, nothing ever leaves.
        let span = span.as_nanos();
        let (newest, sum, buckets) = (0, T::default(), [T::default(); BUCKETS]);
        Buckets { span, newest, newest_ends: end(newest, span), newest_at: place(newest), sum, buckets }
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
        self.newest_ends
    }

    /// Makes the bucket of `now` the newest. A clock read just before another thread's does not step back.
    pub(crate) fn rotate(&mut self, now: Timestamp) {
        if now >= self.newest_ends {
            self.rotate_to(self.number(now));
        }
    }

    #[cold]
    fn rotate_to(&mut self, number: u128) {
        let steps = (number - self.newest).min(BUCKETS as u128);
        for step in 1..=steps {
            let gone = std::mem::take(&mut self.buckets[place(self.newest + step)]);
            self.sum.subtract(gone);
        }
        (self.newest, self.newest_ends, self.newest_at) = (number, end(number, self.span), place(number));
    }

    /// Counts something in the newest bucket.
    pub(crate) fn count(&mut self, add: impl Fn(&mut T)) {
        add(&mut self.buckets[self.newest_at]);
        add(&mut self.sum);
    }

    pub(crate) fn clear(&mut self) {
        self.sum = T::default();
        self.buckets = [T::default(); BUCKETS];
    }
}

/// When the bucket of this number ends.
fn end(number: u128, span: u128) -> Timestamp {
    let end = (number + 1).saturating_mul(span).div_ceil(PER_SPAN);
    u64::try_from(end).map_or(Timestamp::NEVER, Timestamp::from_nanos)
}

fn place(number: u128) -> usize {
    (number % BUCKETS as u128) as usize
}
