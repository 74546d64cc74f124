//! `grpc-timeout` and `x-request-timeout-ms` of a request, with any contents, read on the way in and written on the way
//! out: `fuzz/run 60 timeout_header`. The first byte says whether the next hop is called with gRPC, the two values after
//! it are separated by a line feed, which neither can contain.

#![no_main]

use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use seaworthy::http::{InboundLayer, OutboundLayer};
use seaworthy::{BoxError, Deadline};
use tower_layer::Layer;
use tower_service::Service;

const GRPC: &str = "grpc-timeout";
const MILLIS: &str = "x-request-timeout-ms";

fuzz_target!(|data: &[u8]| {
    let Some((kind, values)) = data.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async { in_and_out(kind % 2 == 0, values) });
});

fn in_and_out(is_grpc: bool, values: &[u8]) {
    let mut values = values.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [GRPC, MILLIS] {
        if let Some(Ok(value)) = values.next().map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let expected = [naive(&headers, GRPC, 8), naive(&headers, MILLIS, 10)].into_iter().flatten().min();
    // A deadline that far away is none.
    let expected = expected.filter(|nanos| *nanos < 400 * 365 * 24 * 3600 * 1_000_000_000);
    let Some((left, sent)) = hop(headers, is_grpc) else {
        // Nothing is left, or not enough for the header of the next hop.
        return assert!(expected.is_some_and(|nanos| nanos < 1_000_000));
    };
    assert!(left.map(|left| left.as_nanos()) == expected || left.is_none_or(|left| left.as_secs() > 1 << 33));
    let Some(left) = left else { return assert!(!sent.contains_key(GRPC) && !sent.contains_key(MILLIS)) };
    let name = if is_grpc { GRPC } else { MILLIS };
    assert_eq!(sent.len(), 2);
    assert!(
        naive(&sent, name, if is_grpc { 8 } else { 10 }).is_some_and(|nanos| nanos > 0 && nanos <= left.as_nanos())
    );
}

/// What a service that gets these headers has left, and which it sends on; none if it is too late for that.
fn hop(headers: HeaderMap, is_grpc: bool) -> Option<(Option<Duration>, HeaderMap)> {
    let mut service = InboundLayer::new().layer(NextHop(is_grpc));
    let mut request = Request::new(());
    *request.headers_mut() = headers;
    match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.ok(),
        Poll::Pending => panic!("nothing waits"),
    }
}

struct NextHop(bool);

impl Service<Request<()>> for NextHop {
    type Response = (Option<Duration>, HeaderMap);
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let mut request = Request::new(());
        let content_type = if self.0 { "application/grpc" } else { "application/json" };
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let left = Deadline::current().map(Deadline::remaining);
        let mut client = OutboundLayer::new().layer(Client);
        match pin!(client.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sent) => ready(sent.map(|sent| (left, sent))),
            Poll::Pending => panic!("nothing waits"),
        }
    }
}

struct Client;

impl Service<Request<()>> for Client {
    type Response = HeaderMap;
    type Error = BoxError;
    type Future = Ready<Result<HeaderMap, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(request.into_parts().0.headers))
    }
}

/// In nanoseconds, as simply as possible.
fn naive(headers: &HeaderMap, name: &str, most: usize) -> Option<u128> {
    let text = headers.get(name)?.to_str().ok()?;
    let (number, unit) = match name {
        MILLIS => (text, 1_000_000),
        _ => {
            let unit = match text.chars().last()? {
                'n' => 1,
                'u' => 1_000,
                'm' => 1_000_000,
                'S' => 1_000_000_000,
                'M' => 60_000_000_000,
                'H' => 3_600_000_000_000,
                _ => return None,
            };
            (&text[..text.len() - 1], unit)
        }
    };
    let is_number = !number.is_empty() && number.len() <= most && number.chars().all(|digit| digit.is_ascii_digit());
    is_number.then(|| number.parse().map(|number: u128| number * unit)).and_then(Result::ok)
}
