//! How headers say how much time a call has left. It is the time that remains and never a time of day, so that clocks
//! need not agree.

use std::time::Duration;

/// How a header writes a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Whole milliseconds: 1 to 10 digits.
    Millis,
    /// As in gRPC's protocol: 1 to 8 digits and a unit.
    Grpc,
}

const MOST_MILLIS: u128 = 9_999_999_999;
const MOST_IN_GRPC: u128 = 99_999_999;

/// From the finest, with their lengths in nanoseconds.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

impl Notation {
    /// What `value` says, or none if it is malformed. No sign, no space and no fraction: what one reader takes for a
    /// number must not be another one for the next.
    pub(super) fn read(self, value: &[u8]) -> Option<Duration> {
        match self {
            Notation::Millis => digits(value, 10).map(Duration::from_millis),
            Notation::Grpc => {
                let (unit, number) = value.split_last()?;
                let (_, nanos) = UNITS.into_iter().find(|(name, _)| name == unit)?;
                let number = digits(number, 8)?;
                // Hours in nanoseconds would be too many.
                let nanos = u128::from(number) * u128::from(nanos);
                let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
                Some(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
            }
        }
    }

    /// `left`, rounded down, so that nobody is promised more than there is; none if nothing is left then.
    pub(super) fn write(self, left: Duration) -> Option<TimeText> {
        let (number, unit) = match self {
            Notation::Millis => (left.as_millis().min(MOST_MILLIS), None),
            Notation::Grpc => finest(left),
        };
        let number = u64::try_from(number).ok().filter(|number| *number > 0)?;
        Some(TimeText::new(number, unit))
    }
}

/// In the finest unit that fits 8 digits.
fn finest(left: Duration) -> (u128, Option<u8>) {
    let nanos = left.as_nanos();
    let in_units = UNITS.map(|(unit, length)| (nanos / u128::from(length), Some(unit)));
    let fits = in_units.into_iter().find(|(number, _)| *number <= MOST_IN_GRPC);
    fits.unwrap_or((MOST_IN_GRPC, Some(b'H')))
}

/// A number of 1 to `most` digits.
fn digits(value: &[u8], most: usize) -> Option<u64> {
    if value.is_empty() || value.len() > most {
        return None;
    }
    value.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

/// The value of a header, on the stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeText {
    bytes: [u8; 20],
    begins: usize,
}

impl TimeText {
    fn new(mut number: u64, unit: Option<u8>) -> TimeText {
        let mut text = TimeText { bytes: [0; 20], begins: 20 };
        if let Some(unit) = unit {
            text.prepend(unit);
        }
        while number > 0 {
            text.prepend(b'0' + (number % 10) as u8);
            number /= 10;
        }
        text
    }

    /// The longest text, of ten digits, leaves room.
    fn prepend(&mut self, byte: u8) {
        self.begins -= 1;
        self.bytes[self.begins] = byte;
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.begins..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Notation::{Grpc, Millis};
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn written(notation: Notation, left: Duration) -> Option<String> {
        notation.write(left).map(|text| String::from_utf8(text.as_bytes().to_vec()).expect("digits"))
    }

    /// DL-13: what is read, and what is malformed.
    #[test]
    fn what_headers_say() {
        for (notation, text, expected) in [
            (Millis, "0", Some(Duration::ZERO)),
            (Millis, "1500", Some(Duration::from_millis(1500))),
            (Millis, "0000000007", Some(Duration::from_millis(7))),
            (Millis, "9999999999", Some(Duration::from_millis(9_999_999_999))),
            (Millis, "00000000007", None),
            (Millis, "", None),
            (Millis, "+1", None),
            (Millis, "-1", None),
            (Millis, " 1", None),
            (Millis, "1 ", None),
            (Millis, "1.0", None),
            (Millis, "1ms", None),
            (Millis, "1m", None),
            (Millis, "0x1", None),
            (Millis, "١", None),
            (Grpc, "0n", Some(Duration::ZERO)),
            (Grpc, "1n", Some(Duration::from_nanos(1))),
            (Grpc, "1u", Some(Duration::from_micros(1))),
            (Grpc, "1m", Some(Duration::from_millis(1))),
            (Grpc, "1S", Some(Duration::from_secs(1))),
            (Grpc, "1M", Some(Duration::from_secs(60))),
            (Grpc, "1H", Some(HOUR)),
            (Grpc, "00000001H", Some(HOUR)),
            (Grpc, "99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            (Grpc, "000000001H", None),
            (Grpc, "", None),
            (Grpc, "n", None),
            (Grpc, "1", None),
            (Grpc, "1h", None),
            (Grpc, "1s", None),
            (Grpc, "1N", None),
            (Grpc, "1 S", None),
            (Grpc, " 1S", None),
            (Grpc, "1S ", None),
            (Grpc, "-1S", None),
            (Grpc, "+1S", None),
            (Grpc, "1.5S", None),
            (Grpc, "1ms", None),
        ] {
            assert_eq!(notation.read(text.as_bytes()), expected, "{notation:?} {text:?}");
        }
    }

    /// DL-14: rounded down, and in the finest unit that fits 8 digits. Nothing is left of less than 1 ms, or 1 ns.
    #[test]
    fn what_is_written() {
        for (left, millis, grpc) in [
            (Duration::ZERO, None, None),
            (Duration::from_nanos(1), None, Some("1n")),
            (Duration::from_nanos(999_999), None, Some("999999n")),
            (Duration::from_millis(1), Some("1"), Some("1000000n")),
            (Duration::from_nanos(1_999_999), Some("1"), Some("1999999n")),
            (Duration::from_nanos(99_999_999), Some("99"), Some("99999999n")),
            (Duration::from_nanos(100_000_999), Some("100"), Some("100000u")),
            (Duration::from_millis(1500), Some("1500"), Some("1500000u")),
            (Duration::from_micros(99_999_999), Some("99999"), Some("99999999u")),
            (Duration::from_secs(100), Some("100000"), Some("100000m")),
            (27 * HOUR, Some("97200000"), Some("97200000m")),
            (28 * HOUR, Some("100800000"), Some("100800S")),
            (Duration::from_secs(99_999_999), Some("9999999999"), Some("99999999S")),
            (Duration::from_secs(100_000_000), Some("9999999999"), Some("1666666M")),
            (Duration::from_secs(60 * 100_000_000), Some("9999999999"), Some("1666666H")),
            (Duration::MAX, Some("9999999999"), Some("99999999H")),
        ] {
            assert_eq!(written(Millis, left).as_deref(), millis, "{left:?}");
            assert_eq!(written(Grpc, left).as_deref(), grpc, "{left:?}");
        }
    }

    fn model_reads(notation: Notation, text: &str) -> Option<u128> {
        let (number, nanos, most) = match notation {
            Millis => (text, 1_000_000, 10),
            Grpc => {
                let unit = text.chars().last()?;
                let at = "numSMH".find(unit)?;
                (
                    text.strip_suffix(unit)?,
                    [1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000][at],
                    8,
                )
            }
        };
        let fine = (1..=most).contains(&number.len()) && number.chars().all(|digit| "0123456789".contains(digit));
        fine.then(|| number.parse::<u128>().expect("a number") * nanos)
    }

    fn notation() -> impl Strategy<Value = Notation> {
        prop_oneof![Just(Millis), Just(Grpc)]
    }

    /// Mostly such as are nearly right.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9]{0,12}[HMSmunhs]?", "[ +-]?[0-9.]{1,10}[HMSmun ]{0,2}", any::<String>()]
    }

    /// Of all sizes.
    fn span() -> impl Strategy<Value = Duration> {
        (any::<u64>(), 0..64_u32, 0..1_000_000_000_u32)
            .prop_map(|(seconds, shift, nanos)| Duration::new(seconds.checked_shr(shift).unwrap_or(0), nanos))
    }

    proptest! {
        /// DL-13: any text is read as a naive reader does.
        #[test]
        fn reads_like_the_model(notation in notation(), text in text()) {
            let read = notation.read(text.as_bytes());
            prop_assert_eq!(read.map(|time| time.as_nanos()), model_reads(notation, &text), "{:?}", text);
        }

        /// DL-14: what is written is well-formed, never more than there is, and less by under one unit, which is the
        /// finest that fits.
        #[test]
        fn never_promises_more_than_there_is(notation in notation(), left in span()) {
            let Some(text) = written(notation, left) else {
                let least = if notation == Millis { Duration::from_millis(1) } else { Duration::from_nanos(1) };
                prop_assert!(left < least);
                return Ok(());
            };
            let promised = model_reads(notation, &text).expect("well-formed");
            prop_assert!(promised <= left.as_nanos(), "{} of {:?}", text, left);
            let (number, unit) = text.split_at(text.len() - usize::from(notation == Grpc));
            let unit = if notation == Millis { 1_000_000 } else { model_reads(Grpc, &format!("1{unit}")).expect("a unit") };
            let is_cap = number.bytes().all(|digit| digit == b'9') && matches!((notation, text.len()), (Millis, 10) | (Grpc, 9));
            prop_assert!(is_cap || left.as_nanos() - promised < unit, "{} of {:?}", text, left);
            let finer = [3_600_000_000_000, 60_000_000_000, 1_000_000_000, 1_000_000, 1_000, 1];
            if let (Grpc, Some(finer)) = (notation, finer.into_iter().find(|finer| *finer < unit)) {
                prop_assert!(left.as_nanos() / finer >= 100_000_000, "{} of {:?}", text, left);
            }
        }
    }
}
