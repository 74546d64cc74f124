use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};

use super::date;

/// How long a response asks its caller to wait, in its `Retry-After`: in seconds, or as a date in any of the three
/// forms of RFC 9110. For your own [`RetryIf`](crate::RetryIf); [`HttpRetry`](super::HttpRetry) uses it for every
/// response it retries.
///
/// A date is compared with the response's own `Date`, so that the server's clock and this machine's need not agree, or
/// with this machine's clock if there is none that is readable. Zero if the date is past, `Duration::MAX` if the number
/// is too large to represent, and none if there is no such header or it is unreadable.
///
/// ```
/// use http::{Response, StatusCode};
/// use seaworthy::http::{HttpRetry, retry_after};
/// use seaworthy::retry::Decision;
/// use seaworthy::RetryIf;
/// use seaworthy::{BoxError, RetryPolicy};
///
/// let policy = RetryPolicy::builder("backend").build()?;
/// let layer = policy.http_layer().retry_if(|result: &Result<Response<String>, BoxError>| match result {
///     Ok(response) if response.status() == StatusCode::TOO_EARLY => {
///         retry_after(response.headers()).map_or(Decision::Retry, Decision::RetryAfter)
///     }
///     other => HttpRetry.retry_if(other),
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    #[expect(clippy::disallowed_methods, reason = "a header holds a date, which nothing can pause")]
    retry_after_at(headers, SystemTime::now)
}

fn retry_after_at(headers: &HeaderMap, now: impl Fn() -> SystemTime) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER)?;
    if value.is_empty() {
        return None;
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = date::parse(value, &now)?;
    let sent = text(headers, DATE).and_then(|date| date::parse(date, &now));
    Some(match sent {
        Some(sent) => Duration::from_secs(u64::try_from(until.saturating_sub(sent)).unwrap_or_default()),
        None => {
            let until = UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(until).unwrap_or_default()));
            until.map_or(Duration::MAX, |until| until.duration_since(now()).unwrap_or_default())
        }
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 6 November 1994, 08:49:37: the example in RFC 9110.
    const EXAMPLE: u64 = 784_111_777;

    fn read(text: &str, now: u64) -> Option<Duration> {
        read_sent(text, None, now)
    }

    fn read_sent(text: &str, date: Option<&str>, now: u64) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().expect("a header"));
        headers.extend(date.map(|date| (DATE, date.parse().expect("a header"))));
        retry_after_at(&headers, || UNIX_EPOCH + Duration::from_secs(now))
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

    /// RT-10: dates in all three forms, compared with our clock if there is no `Date`; a past one means no wait.
    #[test]
    fn dates() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            for date in [None, Some(""), Some("yesterday"), Some("Sun, 06 Nov 1994")] {
                assert_eq!(read_sent(text, date, EXAMPLE - 90), Some(Duration::from_secs(90)), "{text} {date:?}");
            }
            assert_eq!(read(text, EXAMPLE), Some(Duration::ZERO), "{text}");
            assert_eq!(read(text, EXAMPLE + 1), Some(Duration::ZERO), "{text}");
        }
        assert_eq!(read("Wed, 31 Dec 1969 23:59:59 GMT", 0), Some(Duration::ZERO));
    }

    /// HC-11: if the response says when it was sent, our clock does not matter.
    #[test]
    fn dates_of_a_server_whose_clock_is_wrong() {
        let five = Some(Duration::from_secs(5));
        let until = "Sun, 06 Nov 1994 08:49:37 GMT";
        for sent in ["Sun, 06 Nov 1994 08:49:32 GMT", "Sunday, 06-Nov-94 08:49:32 GMT", "Sun Nov  6 08:49:32 1994"] {
            for now in [EXAMPLE - 3600, EXAMPLE, EXAMPLE + 3600] {
                assert_eq!(read_sent(until, Some(sent), now), five, "{sent} {now}");
            }
        }
        let past = "Sun, 06 Nov 1994 08:49:38 GMT";
        assert_eq!(read_sent(until, Some(past), EXAMPLE - 3600), Some(Duration::ZERO));
        let first = "Sat, 01 Jan 0000 00:00:00 GMT";
        let last = "Fri, 31 Dec 9999 23:59:60 GMT";
        assert_eq!(read_sent(last, Some(first), EXAMPLE), Some(Duration::from_secs(253_402_300_800 + 62_167_219_200)));
        assert_eq!(read_sent(first, Some(last), EXAMPLE), Some(Duration::ZERO));
        // A number of seconds does not depend on any clock.
        assert_eq!(read_sent("7", Some(past), EXAMPLE - 3600), Some(Duration::from_secs(7)));
    }

    /// RT-10: unreadable values are ignored.
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
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_bytes(b"\xff\xfe").expect("a header"));
        assert_eq!(retry_after(&headers), None);
    }
}
