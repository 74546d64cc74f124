use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// How long a response asks to wait: `Retry-After` in seconds or as a date. Zero if the date is past, `Duration::MAX`
/// if the number is too large to hold, none if there is no such header or nobody can read it.
pub(super) fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim_matches([' ', '\t']);
    if text.is_empty() {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 6 November 1994, 08:49:37, as RFC 9110 has it.
    const EXAMPLE: u64 = 784_111_777;

    fn read(text: &str, now: u64) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().expect("a header"));
        retry_after(&headers, || SystemTime::UNIX_EPOCH + Duration::from_secs(now))
    }

    /// RT-10: seconds, up to the largest number and beyond.
    #[test]
    fn seconds() {
        let largest = "18446744073709551615";
        for (text, expected) in [
            ("0", Duration::ZERO),
            ("1", Duration::from_secs(1)),
            ("007", Duration::from_secs(7)),
            ("  120 ", Duration::from_secs(120)),
            (largest, Duration::from_secs(u64::MAX)),
            ("18446744073709551616", Duration::MAX),
            ("99999999999999999999999999999999999999999999", Duration::MAX),
        ] {
            assert_eq!(read(text, 0), Some(expected), "{text}");
        }
    }

    /// RT-10: dates in all three forms; a past one means no wait.
    #[test]
    fn dates() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(read(text, EXAMPLE - 90), Some(Duration::from_secs(90)), "{text}");
            assert_eq!(read(text, EXAMPLE), Some(Duration::ZERO), "{text}");
            assert_eq!(read(text, EXAMPLE + 1), Some(Duration::ZERO), "{text}");
        }
    }

    /// RT-10: what nobody can read is ignored.
    #[test]
    fn malformed() {
        for text in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "0x10",
            "1 2",
            "soon",
            "Sun, 06 Nov 1994",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text, 0), None, "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), || SystemTime::UNIX_EPOCH), None);
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_bytes(b"\xff\xfe").expect("a header"));
        assert_eq!(retry_after(&headers, || SystemTime::UNIX_EPOCH), None);
    }
}
