//! The `Retry-After` and `Date` of a response, with any contents: `fuzz/run 60 retry_after`. The two values are
//! separated by a line feed, which neither can contain.

#![no_main]

use std::time::Duration;

use http::header::{DATE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use seaworthy::BoxError;
use seaworthy::RetryIf;
use seaworthy::http::{HttpRetry, retry_after};
use seaworthy::retry::Decision;

fuzz_target!(|data: &[u8]| {
    let mut values = data.splitn(2, |byte| *byte == b'\n');
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    for name in [RETRY_AFTER, DATE] {
        if let Some(Ok(value)) = values.next().map(HeaderValue::from_bytes) {
            response.headers_mut().insert(name, value);
        }
    }
    let asked = retry_after(response.headers());
    let digits = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim);
    match digits.and_then(|text| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'))) {
        // A number that fits means that many seconds, whatever the date.
        Some(seconds) => assert_eq!(asked, Some(Duration::from_secs(seconds))),
        // No two dates are more than ten thousand years apart.
        None => {
            assert!(asked.is_none_or(|wait| wait == Duration::MAX || wait < Duration::from_secs(10_001 * 31_622_400)))
        }
    }
    let decision = HttpRetry.retry_if(&Ok::<_, BoxError>(response));
    match (decision, asked) {
        (Decision::Retry, None) => {}
        // Without a `Date` each of the two is compared with the clock, which runs on in between.
        (Decision::RetryAfter(decided), Some(asked)) => assert!(decided.abs_diff(asked) < Duration::from_secs(1)),
        (decision, asked) => panic!("{decision:?} of {asked:?}"),
    }
});
