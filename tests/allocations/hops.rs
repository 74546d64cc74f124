//! What deadlines over HTTP allocate: nothing on the way in, and a header's value on the way out.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderValue, Request};
use seaworthy::http::{InboundLayer, OutboundLayer};
use seaworthy::{Deadline, Error};
use tower::{Layer, Service, service_fn};

use crate::allocations;

type Answer = Result<Request<()>, Error<&'static str>>;

fn answer(request: Request<()>) -> Ready<Answer> {
    ready(Ok(request))
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a request without another header, or with these, costs on its way through.
fn through<S>(service: &mut S, headers: &[(&'static str, &'static str)]) -> (u64, bool)
where
    S: Service<Request<()>, Response = Request<()>, Error = Error<&'static str>>,
{
    let mut request = Request::new(());
    // So that the map has room for one more.
    request.headers_mut().reserve(8);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    let mut answered = None;
    let count = allocations(|| answered = Some(poll_once(service.call(request))));
    (count, matches!(answered, Some(Poll::Ready(Ok(_)))))
}

/// DL-12: nothing, with a header and without, malformed, and rejected. DL-13: under other names, too.
#[test]
fn nothing_on_the_way_in() {
    let renamed = InboundLayer::builder().timeout_header("x-left").also_read("x-request-timeout-ms");
    let all = renamed.max(Duration::from_secs(30)).default(Duration::from_secs(5)).least(Duration::from_millis(2));
    for layer in [InboundLayer::new(), all.build().unwrap(), InboundLayer::inherit()] {
        let mut service = layer.layer(service_fn(answer));
        for headers in [
            vec![],
            vec![("x-request-timeout-ms", "300")],
            vec![("grpc-timeout", "300m"), ("x-request-timeout-ms", "300")],
            vec![("grpc-timeout", "soon")],
        ] {
            assert_eq!(through(&mut service, &headers), (0, true), "{headers:?}");
        }
        assert_eq!(through(&mut service, &[("x-request-timeout-ms", "0")]).0, 0);
    }
    assert!(!through(&mut InboundLayer::new().layer(service_fn(answer)), &[("grpc-timeout", "0n")]).1);
}

/// DL-12: the first extension of a request allocates its map, which is why it is off by default.
#[test]
fn an_extension_is_not_free() {
    let layer = InboundLayer::builder().insert_extension().build().unwrap();
    let (count, _) = through(&mut layer.layer(service_fn(answer)), &[("grpc-timeout", "1S")]);
    assert!(count >= 2, "{count}");
}

/// DL-14: without a deadline nothing, and to reject nothing; with one, the header's value, as long as the map has room.
#[test]
fn a_value_on_the_way_out() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let mut service = OutboundLayer::new().layer(service_fn(answer));
    let within = |service: &mut _, time, headers| {
        let mut seen = None;
        assert!(poll_once(Deadline::within(time).scope(async { seen = Some(through(service, headers)) })).is_ready());
        seen.unwrap()
    };
    let second = Duration::from_secs(1);
    assert_eq!(through(&mut service, &[]), (0, true));
    for headers in [
        &[("content-type", "application/json")][..],
        &[("content-type", "application/grpc")],
        &[("content-type", "application/grpc"), ("grpc-timeout", "1m")],
    ] {
        assert_eq!(within(&mut service, second, headers), (1, true), "{headers:?}");
    }
    assert_eq!(within(&mut service, Duration::ZERO, &[]), (0, false));
}
