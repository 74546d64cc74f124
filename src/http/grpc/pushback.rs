use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Rejected;
use crate::retry::Decision;

pub(super) const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// What a server asks of a caller who may try again, in `grpc-retry-pushback-ms`: to wait for so many milliseconds
/// ([`Decision::RetryAfter`]), or not to ([`Decision::ToldNotTo`]). None if there is no such header. For your own
/// [`RetryIf`](crate::RetryIf); [`GrpcRetry`](super::GrpcRetry) obeys it.
///
/// It is a decimal number of 32 bits. A negative one means not to try again, and so does whatever cannot be read: a
/// number that is out of range, has leading zeros or a plus sign, or is there twice.
///
/// ```
/// use std::time::Duration;
///
/// use http::HeaderMap;
/// use seaworthy::http::grpc::grpc_pushback;
/// use seaworthy::retry::Decision;
///
/// let mut head = HeaderMap::new();
/// assert_eq!(grpc_pushback(&head), None);
/// head.insert("grpc-retry-pushback-ms", "250".parse()?);
/// assert_eq!(grpc_pushback(&head), Some(Decision::RetryAfter(Duration::from_millis(250))));
/// head.insert("grpc-retry-pushback-ms", "-1".parse()?);
/// assert_eq!(grpc_pushback(&head), Some(Decision::ToldNotTo));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn grpc_pushback(headers: &HeaderMap) -> Option<Decision> {
    let mut values = headers.get_all(PUSHBACK).iter();
    let value = values.next()?;
    let wait = if values.next().is_some() { None } else { milliseconds(value.as_bytes()) };
    Some(wait.map_or(Decision::ToldNotTo, Decision::RetryAfter))
}

fn milliseconds(text: &[u8]) -> Option<Duration> {
    // Up to ten digits, which fit.
    if !(1..=10).contains(&text.len()) || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    let mut number = 0;
    for byte in text {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = number * 10 + digit;
    }
    (number <= MOST).then(|| Duration::from_millis(number))
}

/// The largest number of 32 bits.
const MOST: u64 = i32::MAX as u64;

/// What a rejection asks of a caller: not to try again, where another attempt would end in the same place, or where
/// part of the call may be done although its code says that it may be repeated; or to wait, where it is known for how
/// long.
pub(super) fn pushback_of(rejected: &Rejected) -> Option<HeaderValue> {
    if matches!(rejected, Rejected::CircuitOpen { .. } | Rejected::DeadlineExceeded { .. } | Rejected::Withdrawn { .. })
    {
        return Some(HeaderValue::from_static("-1"));
    }
    decimal(whole_milliseconds(rejected.retry_after()?))
}

/// `HeaderValue::from` would allocate twice.
fn decimal(mut number: u64) -> Option<HeaderValue> {
    let mut digits = [b'0'; 20];
    let mut first = digits.len() - 1;
    loop {
        // It is less than ten.
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return HeaderValue::from_bytes(&digits[first..]).ok();
        }
        first -= 1;
    }
}

/// Rounded up, so that a client that waits does not come back too early.
fn whole_milliseconds(wait: Duration) -> u64 {
    let whole = wait.as_nanos().div_ceil(1_000_000);
    u64::try_from(whole).map_or(MOST, |whole| whole.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Option<Decision> {
        let value = HeaderValue::from_bytes(value).expect("a header");
        grpc_pushback(&HeaderMap::from_iter([(PUSHBACK, value)]))
    }

    /// GR-07: a number of 32 bits is a wait; what is negative, out of range, has leading zeros or a plus, or cannot be
    /// read otherwise, means not to retry.
    #[test]
    fn gr_07_reading() {
        for number in [0, 1, 9, 10, 999, 30_000, 2_147_483_646, 2_147_483_647] {
            let wait = Decision::RetryAfter(Duration::from_millis(number));
            assert_eq!(read(number.to_string().as_bytes()), Some(wait), "{number}");
        }
        let unreadable: [&[u8]; 21] = [
            b"",
            b" ",
            b"-1",
            b"-0",
            b"-2147483648",
            b"-2147483649",
            b"2147483648",
            b"9999999999",
            b"10000000000",
            b"18446744073709551617",
            b"00",
            b"01",
            b"+1",
            b"+0",
            b" 1",
            b"1 ",
            b"1.0",
            b"1e3",
            b"1,2",
            b"soon",
            b"\xb1",
        ];
        for value in unreadable {
            assert_eq!(read(value), Some(Decision::ToldNotTo), "{value:?}");
        }
        assert_eq!(grpc_pushback(&HeaderMap::new()), None);
        let mut twice = HeaderMap::from_iter([(PUSHBACK, "1".parse().expect("a header"))]);
        twice.append(PUSHBACK, "1".parse().expect("a header"));
        assert_eq!(grpc_pushback(&twice), Some(Decision::ToldNotTo));
    }

    /// GR-11: a number is written as numbers are.
    #[test]
    fn gr_11_digits() {
        for number in [0, 1, 9, 10, 99, 100, 1_201, 2_147_483_647, u64::MAX] {
            assert_eq!(decimal(number), Some(HeaderValue::from(number)), "{number}");
        }
    }

    /// GR-11: milliseconds, rounded up, at most 2³¹ − 1.
    #[test]
    fn gr_11_rounding() {
        for (wait, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_nanos(999_999), 1),
            (Duration::from_millis(1), 1),
            (Duration::from_nanos(1_000_001), 2),
            (Duration::from_secs(30), 30_000),
            (Duration::from_millis(2_147_483_647), 2_147_483_647),
            (Duration::from_millis(2_147_483_648), 2_147_483_647),
            (Duration::MAX, 2_147_483_647),
        ] {
            assert_eq!(whole_milliseconds(wait), expected, "{wait:?}");
        }
    }
}
