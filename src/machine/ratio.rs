/// A share above 0 and at most 1, as a fraction, so that shares add up without rounding.
///
/// A number such as 0.3 has no exact binary form. It is taken to mean the simplest fraction whose nearest float it is:
/// three in ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    parts: u128,
    whole: u128,
}

/// Below 2^-74, no number of requests that fits into 64 bits adds up to one whole.
const SMALLEST: f64 = 1.0 / (1_u128 << 74) as f64;

impl Ratio {
    pub(crate) const ONE_IN_FIVE: Ratio = Ratio { parts: 1, whole: 5 };

    /// `None` outside (0, 1].
    pub(crate) fn new(share: f64) -> Option<Ratio> {
        if !(share > 0.0 && share <= 1.0) {
            return None;
        }
        if share < SMALLEST {
            return Some(Ratio { parts: 0, whole: 1 });
        }
        // The number is exactly `mantissa / 2^shift`. What follows is Euclid's algorithm, whose quotients form the
        // continued fraction; it ends at the number itself if not before.
        let bits = share.to_bits();
        let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
        let shift = 1075 - (bits >> 52);
        let (mut large, mut small) = (1_u128 << shift, mantissa);
        let (mut before, mut ratio) = (Ratio { parts: 1, whole: 0 }, Ratio { parts: 0, whole: 1 });
        while small != 0 {
            let quotient = large / small;
            let next =
                Ratio { parts: quotient * ratio.parts + before.parts, whole: quotient * ratio.whole + before.whole };
            (before, ratio) = (ratio, next);
            (large, small) = (small, large % small);
            if ratio.parts as f64 / ratio.whole as f64 == share {
                break;
            }
        }
        Some(ratio)
    }

    /// How many wholes the shares of `count` requests add up to.
    pub(crate) fn wholes(self, count: u64) -> u64 {
        // Nearly always the numbers are small, and dividing large ones takes several times as long.
        if let (Ok(parts), Ok(whole)) = (u64::try_from(self.parts), u64::try_from(self.whole)) {
            if let Some(parts) = count.checked_mul(parts) {
                return parts / whole;
            }
        }
        // Fits: there are at most 2^53 parts. Each share adds at most one whole, so the cast is exact.
        (u128::from(count) * self.parts / self.whole) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_the_fraction_that_it_was_written_as() {
        for whole in 1..=400 {
            for parts in 1..=whole {
                let ratio = Ratio::new(parts as f64 / whole as f64).expect("in range");
                assert_eq!(ratio.parts * whole, ratio.whole * parts, "{parts}/{whole}");
            }
        }
        assert_eq!(Ratio::new(0.2), Some(Ratio::ONE_IN_FIVE));
        assert_eq!(Ratio::new(0.3), Some(Ratio { parts: 3, whole: 10 }));
    }

    #[test]
    fn only_shares() {
        for wrong in [0.0, -0.0, -0.2, 1.0 + f64::EPSILON, 2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(Ratio::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_extremes() {
        assert_eq!(Ratio::new(1.0).map(|one| one.wholes(u64::MAX)), Some(u64::MAX));
        assert_eq!(Ratio::new(1.0 - f64::EPSILON / 2.0).map(|ratio| ratio.wholes(1)), Some(0));
        let mut share = 1.0_f64;
        for shift in 0..1_075 {
            let wholes = Ratio::new(share).expect("in range").wholes(u64::MAX);
            assert_eq!(wholes, u64::MAX.checked_shr(shift).unwrap_or(0), "{share:e}");
            share /= 2.0;
        }
        assert_eq!(share, 0.0);
        assert_eq!(Ratio::new(f64::MIN_POSITIVE / 4.0).map(|ratio| ratio.wholes(u64::MAX)), Some(0));
        // Where the product of count and parts no longer fits into 64 bits.
        let three_in_ten = Ratio::new(0.3).expect("in range");
        for count in [u64::MAX / 3 - 1, u64::MAX / 3, u64::MAX / 3 + 1, u64::MAX / 2] {
            let tenths = 3 * u128::from(count);
            assert_eq!(u128::from(three_in_ten.wholes(count)), (tenths - tenths % 10) / 10, "{count}");
        }
        for share in [1e-3, 1e-9, 1e-15, 1e-19, 3e-19, 0.123_456_789_012_345_68] {
            let ratio = Ratio::new(share).expect("in range");
            let error = ratio.parts as f64 / ratio.whole as f64 / share - 1.0;
            assert!(error.abs() < 1e-15, "{share}: {ratio:?}");
        }
    }
}
