//! The `grpc-status` of a head, with any contents, once or several times, and any HTTP status: `fuzz/run 60
//! grpc_status`. The first two bytes are the HTTP status; values are separated by line feeds.

#![no_main]

use http::header::HeaderValue;
use http::{Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use seaworthy::http::grpc::{Code, GrpcClassifier, grpc_status};
use seaworthy::{BoxError, Classify, Verdict};

fuzz_target!(|data: &[u8]| {
    let Some((status, data)) = data.split_first_chunk::<2>() else { return };
    let status = StatusCode::from_u16(u16::from_be_bytes(*status) % 900 + 100).expect("a status");
    let mut response = Response::new(());
    *response.status_mut() = status;
    for value in data.split(|byte| *byte == b'\n').filter_map(|value| HeaderValue::from_bytes(value).ok()) {
        response.headers_mut().append("grpc-status", value);
    }
    let first = response.headers().get("grpc-status");
    let number = |text: &str| text.parse::<u8>().ok().filter(|number| *number <= 16 && number.to_string() == text);
    let code = first.map(|text| text.to_str().ok().and_then(number).map_or(2, i32::from));
    assert_eq!(grpc_status(response.headers()), code.map(Code::from));
    let expected = match (code, status.as_u16()) {
        (Some(2 | 4 | 13 | 14 | 15), _) => Verdict::Failure,
        (Some(8), _) => Verdict::Throttled,
        (Some(1), _) => Verdict::Ignored,
        (Some(_), _) | (None, 200 | 401 | 403 | 404) => Verdict::Success,
        (None, _) => Verdict::Failure,
    };
    assert_eq!(GrpcClassifier::new().classify(&Ok::<_, BoxError>(response)), expected);
});
