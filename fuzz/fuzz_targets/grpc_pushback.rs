//! The `grpc-retry-pushback-ms` of a response, with any contents, once or several times: `fuzz/run 60 grpc_pushback`.
//! Values are separated by line feeds, which they cannot contain.

#![no_main]

use std::time::Duration;

use http::header::HeaderValue;
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use seaworthy::http::grpc::{GrpcMethods, GrpcRetry, grpc_pushback};
use seaworthy::retry::{Decision, RetryIfFor};
use seaworthy::{BoxError, RetryIf};

fuzz_target!(|data: &[u8]| {
    let mut response = Response::builder().header("grpc-status", "14").body(()).expect("a response");
    let values = data.split(|byte| *byte == b'\n').filter_map(|value| HeaderValue::from_bytes(value).ok());
    for value in values {
        response.headers_mut().append("grpc-retry-pushback-ms", value);
    }
    let asked = grpc_pushback(response.headers());
    let texts: Vec<_> = response.headers().get_all("grpc-retry-pushback-ms").iter().map(|text| text.to_str()).collect();
    // What a number reads as if it is written as numbers are.
    let number = |text: &str| text.parse::<i32>().ok().filter(|number| number.to_string() == text);
    let expected = match texts[..] {
        [] => None,
        [Ok(text)] => Some(match number(text).map(u64::try_from) {
            Some(Ok(wait)) => Decision::RetryAfter(Duration::from_millis(wait)),
            _ => Decision::ToldNotTo,
        }),
        _ => Some(Decision::ToldNotTo),
    };
    assert_eq!(asked, expected);

    let methods = GrpcMethods::builder().idempotent("/a/b").build().expect("a method");
    let request = Request::builder().uri("/a/b").body(()).expect("a request");
    let decider = RetryIfFor::<_, Response<()>, BoxError>::decider(&GrpcRetry::new(methods), &request);
    assert_eq!(decider.retry_if(&Ok::<_, BoxError>(response)), asked.unwrap_or(Decision::Retry));
});
