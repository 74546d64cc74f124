//! Durations as text, the way files have them: `"30s"`, `"1min 30s"`, `"1h30m"`, `"1.5s"`.
//!
//! Any text gives a duration or an error; nothing is rounded, and nothing overflows.

use std::fmt;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// The names of each unit, and its length in nanoseconds. A month is 30.44 days, a year 365.25.
const UNITS: [(&[&str], u64); 10] = [
    (&["ns", "nsec", "nanos"], 1),
    (&["us", "µs", "usec"], 1_000),
    (&["ms", "msec", "millis"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], SECOND),
    (&["m", "min", "mins", "minute", "minutes"], 60 * SECOND),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600 * SECOND),
    (&["d", "day", "days"], DAY),
    (&["w", "wk", "wks", "week", "weeks"], 7 * DAY),
    (&["M", "month", "months"], 2_630_016 * SECOND),
    (&["y", "yr", "yrs", "year", "years"], 31_557_600 * SECOND),
];

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DurationFlaw<'a> {
    Empty,
    NoNumber(&'a str),
    NoUnit(&'a str),
    UnknownUnit(&'a str),
    TooLong,
    TooFine,
}

impl fmt::Display for DurationFlaw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationFlaw::Empty => f.write_str("it is empty"),
            DurationFlaw::NoNumber(before) => write!(f, "there is no number before {before:?}"),
            DurationFlaw::NoUnit(number) => write!(f, "{number} has no unit, as in \"{number}s\" or \"{number}ms\""),
            DurationFlaw::UnknownUnit(unit) => {
                write!(f, "there is no unit {unit:?}; the units are ns, us, ms, s, min, h, days, weeks, months, years")
            }
            DurationFlaw::TooLong => write!(f, "it is longer than {} seconds", u64::MAX),
            DurationFlaw::TooFine => f.write_str("it is finer than a nanosecond"),
        }
    }
}

/// The sum of the terms: numbers, each with its unit, with or without spaces between them.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationFlaw<'_>> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationFlaw::Empty);
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |char| char.is_ascii_digit() || char == '.');
        let (unit, after) = split(after.trim_start(), |char| !char.is_ascii_digit() && !char.is_whitespace());
        if number.is_empty() {
            return Err(DurationFlaw::NoNumber(rest));
        }
        if unit.is_empty() {
            return Err(DurationFlaw::NoUnit(number));
        }
        let known = UNITS.iter().find(|(names, _)| names.contains(&unit));
        let (_, unit) = known.ok_or(DurationFlaw::UnknownUnit(unit))?;
        nanos = nanos.checked_add(product(number, *unit)?).ok_or(DurationFlaw::TooLong)?;
        rest = after.trim_start();
    }
    let seconds = u64::try_from(nanos / u128::from(SECOND)).map_err(|_| DurationFlaw::TooLong)?;
    Ok(Duration::from_secs(seconds) + Duration::from_nanos((nanos % u128::from(SECOND)) as u64))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|char| !belongs(char)).unwrap_or(text.len()))
}

/// A number of units, perhaps with a decimal point, in nanoseconds; `unit` is the length of one.
fn product(number: &str, unit: u64) -> Result<u128, DurationFlaw<'_>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(DurationFlaw::NoNumber(number));
    }
    // Both are all digits, so one that does not parse is too large.
    let whole: u64 = whole.parse().map_err(|_| DurationFlaw::TooLong)?;
    let fraction = fraction.trim_end_matches('0');
    // Neither product can overflow: both factors are at most 64 bits.
    let mut nanos = u128::from(whole) * u128::from(unit);
    if !fraction.is_empty() {
        // The longest unit, a year, is 3 × 10^16 nanoseconds, so more than 19 digits never divide evenly.
        let places = u32::try_from(fraction.len()).ok().and_then(|places| 10_u64.checked_pow(places));
        let (Some(places), Ok(fraction)) = (places, fraction.parse::<u64>()) else { return Err(DurationFlaw::TooFine) };
        let part = u128::from(fraction) * u128::from(unit);
        if part % u128::from(places) != 0 {
            return Err(DurationFlaw::TooFine);
        }
        nanos = nanos.checked_add(part / u128::from(places)).ok_or(DurationFlaw::TooLong)?;
    }
    Ok(nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// SO-03: texts that are durations, to the nanosecond and up to the longest one possible.
    #[test]
    fn so_03_durations() {
        let right = [
            ("30s", secs(30)),
            ("  1min 30s ", secs(90)),
            ("1h30m", secs(5_400)),
            ("2 days 3 hours", secs(2 * 86_400 + 3 * 3_600)),
            ("250ms", Duration::from_millis(250)),
            ("1.5s", Duration::from_millis(1_500)),
            ("0.001us", Duration::from_nanos(1)),
            ("7µs 8us", Duration::from_micros(15)),
            ("1M", secs(2_630_016)),
            ("1m", secs(60)),
            ("0.5year", secs(15_778_800)),
            ("0s", Duration::ZERO),
            ("1.000000000000000000000000000000s", secs(1)),
            ("18446744073709551615s", secs(u64::MAX)),
            ("18446744073709551615s 999999999ns", Duration::MAX),
            ("18446744073709551615ns 18446744073709551615ns", Duration::new(36_893_488_147, 419_103_230)),
        ];
        for (text, duration) in right {
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
    }

    /// SO-03: texts that are not durations are errors, at the edge of 64 bits as elsewhere.
    #[test]
    fn so_03_no_durations() {
        let wrong = [
            ("", DurationFlaw::Empty),
            (" \t", DurationFlaw::Empty),
            ("soon", DurationFlaw::NoNumber("soon")),
            ("-1s", DurationFlaw::NoNumber("-1s")),
            ("1s -1s", DurationFlaw::NoNumber("-1s")),
            ("30", DurationFlaw::NoUnit("30")),
            ("1s 30", DurationFlaw::NoUnit("30")),
            ("1 0s", DurationFlaw::NoUnit("1")),
            (".5s", DurationFlaw::NoNumber(".5")),
            ("1.s", DurationFlaw::NoNumber("1.")),
            ("1.2.3s", DurationFlaw::NoNumber("1.2.3")),
            ("1S", DurationFlaw::UnknownUnit("S")),
            ("1s,2s", DurationFlaw::UnknownUnit("s,")),
            ("1s\0", DurationFlaw::UnknownUnit("s\0")),
            ("18446744073709551615s 1000000000ns", DurationFlaw::TooLong),
            ("18446744073709551616s", DurationFlaw::TooLong),
            ("18446744073709551615years", DurationFlaw::TooLong),
            ("18446744073709551616ns", DurationFlaw::TooLong),
            ("0.5ns", DurationFlaw::TooFine),
            ("0.1234567891s", DurationFlaw::TooFine),
            ("0.00000000000000000000000001years", DurationFlaw::TooFine),
        ];
        for (text, flaw) in wrong {
            assert_eq!(parse(text), Err(flaw), "{text}");
            assert!(!flaw.to_string().is_empty());
        }
        let endless = format!("{}s", "9".repeat(10_000));
        assert_eq!(parse(&endless), Err(DurationFlaw::TooLong));
        // Overflowing 128 bits with the sum would take terabytes of text; this merely has many terms.
        assert_eq!(parse(&"18446744073709551615years".repeat(1_000)), Err(DurationFlaw::TooLong));
    }

    proptest! {
        /// SO-03: any text gets an answer.
        #[test]
        fn property_any_text(text in "\\PC*", terms in "([0-9]{1,21}(\\.[0-9]{0,25})?[a-zµ]{0,3} ?){0,4}") {
            let _ = (parse(&text), parse(&terms));
        }

        /// SO-03: a duration written in seconds and nanoseconds reads back the same, however it is spaced.
        #[test]
        fn property_as_written(seconds in any::<u64>(), nanos in 0..1_000_000_000_u32, space in " {0,2}") {
            let duration = Duration::new(seconds, nanos);
            for text in [format!("{seconds}{space}s{space}{nanos}ns"), format!("{seconds}.{nanos:09}{space}s")] {
                prop_assert_eq!(parse(&text), Ok(duration));
            }
        }
    }
}
