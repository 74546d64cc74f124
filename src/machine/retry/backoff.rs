use std::time::Duration;

/// How a delay is spread, so that clients that failed together do not come back together.
///
/// `d` is the delay before jitter, already capped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Exactly `d`.
    None,
    /// Uniform in `[0, d]`: spreads the most ("full jitter" in the AWS architecture blog's comparison of 2015).
    #[default]
    Full,
    /// Uniform in `[d/2, d]`: never less than half of the delay.
    Equal,
}

/// Delays that grow exponentially up to a cap, with jitter.
///
/// Delay `n`, counted from 0, is `min(cap, base * factor^n)` before jitter. The factor is 2 and the jitter is
/// [`Jitter::Full`] unless set. Whatever takes a backoff checks it in its own `build()`: a cap below the base, or a
/// factor below 1 or not a number, is an error there.
///
/// ```
/// use seaworthy::{Backoff, Jitter};
/// use std::time::Duration;
///
/// // 1 s, 3 s, 9 s, 10 s, 10 s, …
/// let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(10))
///     .factor(3.0)
///     .jitter(Jitter::None);
/// # let _ = backoff;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    base: Duration,
    factor: f64,
    cap: Duration,
    jitter: Jitter,
}

impl Backoff {
    /// Starts at `base` and doubles up to `cap`.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Backoff {
        Backoff { base, factor: 2.0, cap, jitter: Jitter::Full }
    }

    /// The same delay every time, without jitter.
    #[must_use]
    pub const fn constant(delay: Duration) -> Backoff {
        Backoff { base: delay, factor: 1.0, cap: delay, jitter: Jitter::None }
    }

    /// Multiplies the delay by `factor` each time. Default 2.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Backoff {
        self.factor = factor;
        self
    }

    /// Spreads each delay. Default [`Jitter::Full`].
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Backoff {
        self.jitter = jitter;
        self
    }

    pub(crate) fn base(&self) -> Duration {
        self.base
    }

    /// Whether every delay is the same.
    pub(crate) fn is_constant(&self) -> bool {
        self.base == self.cap && self.jitter == Jitter::None
    }

    /// Base, factor and cap.
    pub(crate) fn numbers(&self) -> (Duration, f64, Duration) {
        (self.base, self.factor, self.cap)
    }

    /// What is wrong with the numbers, if anything.
    pub(crate) fn flaw(&self) -> Option<BackoffFlaw> {
        if self.factor.is_nan() || self.factor < 1.0 {
            Some(BackoffFlaw::Factor)
        } else if self.cap < self.base {
            Some(BackoffFlaw::Cap)
        } else {
            None
        }
    }

    /// Delay `n` before jitter.
    pub(crate) fn raw(&self, n: u32) -> Duration {
        // Zero times infinity is not a number, and the first delay is exactly the base.
        if n == 0 || self.base.is_zero() {
            return self.base.min(self.cap);
        }
        let nanos = self.base.as_nanos() as f64 * self.factor.powf(f64::from(n));
        if nanos >= self.cap.as_nanos() as f64 {
            return self.cap;
        }
        // Below the cap, so it fits; at most, rounding takes it up to the cap.
        Duration::try_from_secs_f64(nanos / 1e9).map_or(self.cap, |delay| delay.min(self.cap))
    }

    /// Delay `n`, counted from 0, for a loop of your own. `rng` is asked for a fraction in `[0, 1)`, and only if there
    /// is jitter: pass a generator with a seed where the same delays are wanted each time.
    ///
    /// ```
    /// use seaworthy::Backoff;
    /// use std::time::Duration;
    ///
    /// let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(5));
    /// let delays = [0, 1, 2, 9, u32::MAX].map(|n| backoff.delay(n, &mut || 0.5));
    /// assert_eq!(delays.map(|delay| delay.as_millis()), [50, 100, 200, 2_500, 2_500]);
    /// ```
    #[inline]
    #[must_use]
    pub fn delay(&self, n: u32, rng: &mut dyn FnMut() -> f64) -> Duration {
        if self.is_constant() { self.base } else { self.varying(n, rng) }
    }

    fn varying(&self, n: u32, rng: &mut dyn FnMut() -> f64) -> Duration {
        let raw = self.raw(n);
        match self.jitter {
            Jitter::None => raw,
            Jitter::Full => share(raw, rng()),
            Jitter::Equal => {
                let half = raw / 2;
                half + share(raw - half, rng())
            }
        }
    }
}

/// The rule that a backoff breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackoffFlaw {
    Factor,
    Cap,
}

/// `fraction` of `whole`, never more than the whole.
fn share(whole: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * fraction).map_or(whole, |part| part.min(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// RT-04: `min(cap, base * factor^n)`, the first with `n` = 0.
    #[test]
    fn grows_up_to_the_cap() {
        let backoff = Backoff::exponential(SECOND, 10 * SECOND).factor(3.0).jitter(Jitter::None);
        let delays: Vec<_> = (0..5).map(|n| backoff.delay(n, &mut || panic!("no jitter, no draw")).as_secs()).collect();
        assert_eq!(delays, [1, 3, 9, 10, 10]);
    }

    /// RT-04: no overflow, and never above the cap.
    #[test]
    fn no_overflow_at_any_n() {
        for base in [Duration::ZERO, Duration::from_nanos(1), SECOND, Duration::MAX] {
            for n in [0, 1, 63, 64, 1_000, u32::MAX] {
                for factor in [1.0, 1.000_001, 2.0, f64::MAX, f64::INFINITY] {
                    for fraction in [0.0, 0.5, 1.0 - f64::EPSILON / 2.0] {
                        for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
                            let backoff = Backoff::exponential(base, Duration::MAX).factor(factor).jitter(jitter);
                            let delay = backoff.delay(n, &mut || fraction);
                            assert!(jitter != Jitter::None || delay >= base, "{backoff:?} {n}");
                            assert!(!base.is_zero() || delay.is_zero(), "{backoff:?} {n}");
                        }
                    }
                }
            }
        }
    }

    /// RT-04: at any `n`, and for a cap that the growth passes between two steps.
    #[test]
    fn never_above_the_cap() {
        for cap in [SECOND, Duration::from_nanos(3_999_999_999), 10 * SECOND, Duration::MAX] {
            for n in (0..200).chain([u32::MAX - 1, u32::MAX]) {
                for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
                    let backoff = Backoff::exponential(SECOND, cap).jitter(jitter);
                    assert!(backoff.delay(n, &mut || 1.0 - f64::EPSILON / 2.0) <= cap, "{backoff:?} {n}");
                }
            }
            assert_eq!(Backoff::exponential(SECOND, cap).raw(u32::MAX), cap);
        }
    }

    /// RT-04: full jitter is uniform from zero to the whole delay, equal jitter over its upper half.
    #[test]
    fn jitter_is_uniform() {
        let backoff = Backoff::exponential(SECOND, 30 * SECOND);
        for n in [0, 3, 9] {
            let whole = backoff.raw(n);
            for tenth in 0..10 {
                let fraction = f64::from(tenth) / 10.0;
                let off = |delay: Duration, nanos: f64| (delay.as_nanos() as f64 - nanos).abs();
                let full = backoff.delay(n, &mut || fraction);
                assert!(off(full, whole.as_nanos() as f64 * fraction) < 2.0);
                let equal = backoff.jitter(Jitter::Equal).delay(n, &mut || fraction);
                assert!(off(equal, whole.as_nanos() as f64 * (1.0 + fraction) / 2.0) < 2.0);
            }
        }
    }

    /// RT-15: a base of zero means no wait, however often and however jittered.
    #[test]
    fn zero_stays_zero() {
        for backoff in [Backoff::exponential(Duration::ZERO, SECOND), Backoff::constant(Duration::ZERO)] {
            for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
                for n in [0, 1, u32::MAX] {
                    assert_eq!(backoff.jitter(jitter).delay(n, &mut || 0.999), Duration::ZERO);
                }
            }
        }
    }

    #[test]
    fn jitter_keeps_to_its_range() {
        let cap = 8 * SECOND;
        for n in [0, 2, 3, 9] {
            for step in 0..100 {
                let fraction = f64::from(step) / 100.0;
                let backoff = Backoff::exponential(SECOND, cap);
                let raw = backoff.raw(n);
                let full = backoff.delay(n, &mut || fraction);
                assert!(full <= raw && raw <= cap);
                let equal = backoff.jitter(Jitter::Equal).delay(n, &mut || fraction);
                assert!(raw / 2 <= equal && equal <= raw);
            }
        }
    }

    /// RT-15: a factor below 1 or not a number, and a cap below the base.
    #[test]
    fn flaws() {
        let fine = Backoff::exponential(SECOND, SECOND);
        assert_eq!(fine.flaw(), None);
        assert_eq!(fine.factor(1.0).flaw(), None);
        assert_eq!(fine.factor(0.99).flaw(), Some(BackoffFlaw::Factor));
        assert_eq!(fine.factor(f64::NAN).flaw(), Some(BackoffFlaw::Factor));
        assert_eq!(Backoff::exponential(2 * SECOND, SECOND).flaw(), Some(BackoffFlaw::Cap));
    }
}
