use std::rc::Rc;

use http_body_util::Full;
use seaworthy::ErrorClassifier;
use seaworthy::http::{BodyCircuitBreakerFuture, BodyCircuitBreakerService, CheckLength, Early, NoJudge};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::{assert_pending, assert_ready_ok};
use tower_test::mock;

use super::*;

assert_impl_all!(BodyCircuitBreakerLayer: Clone, Send, Sync, Unpin);
assert_impl_all!(BodyCircuitBreakerLayer<ErrorClassifier, CheckLength<NoJudge>>: Clone, Send, Sync, Unpin);
assert_impl_all!(BodyCircuitBreakerService<()>: Clone, Send, Sync, Unpin);
assert_impl_all!(BodyCircuitBreakerFuture<(), ErrorClassifier, NoJudge>: Send, Sync, Unpin);
assert_impl_all!(JudgedBody<Full<Bytes>>: Default, std::fmt::Debug, Send, Sync, Unpin);
assert_not_impl_any!(JudgedBody<http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>>: Sync);
assert_impl_all!(Early: Copy, std::fmt::Debug, Eq, std::hash::Hash, Send, Sync, Unpin);

/// BO-14: what the body holds beside the inner body is at most 64 bytes without a judge's own.
#[test]
fn sizes() {
    const BESIDE: usize = size_of::<JudgedBody<Full<Bytes>>>() - size_of::<Full<Bytes>>();
    println!("{BESIDE} bytes beside the body");
    const { assert!(BESIDE <= 64) };
}

/// BO-10: frames, trailers, errors, hints and the end are the inner body's, and it is polled as often as the wrapper is.
#[tokio::test(start_paused = true)]
async fn unchanged() {
    let acts = || ["a".into(), Act::Pending, "".into(), "bc".into(), error(), Act::Trailers, "d".into(), error()];
    for tells_its_end in [false, true] {
        for code in [200, 500] {
            let (breaker, _) = plain();
            let inner = Script { tells_its_end, ..script(acts()) };
            let count = inner.polls.clone();
            let mut body = task::spawn(respond(&layer(&breaker), status(code, inner)).await.into_body());
            let mut bare = task::spawn(Script { tells_its_end, ..script(acts()) });
            for number in 0..11 {
                assert_eq!(body.size_hint().exact(), bare.size_hint().exact());
                assert_eq!(body.is_end_stream(), bare.is_end_stream());
                assert_eq!(*count.lock().unwrap(), number);
                assert_eq!(poll(&mut body), poll(&mut bare));
            }
        }
    }
}

/// BO-10: the response head passes unchanged, extensions and all.
#[tokio::test(start_paused = true)]
async fn the_head() {
    let (breaker, _) = plain();
    let mut response = status(203, script([]));
    *response.version_mut() = http::Version::HTTP_2;
    response.headers_mut().insert(http::header::ETAG, "7".parse().unwrap());
    response.extensions_mut().insert(7_u8);
    let response = respond(&layer(&breaker), response).await;
    assert_eq!((response.status().as_u16(), response.version()), (203, http::Version::HTTP_2));
    assert_eq!((&response.headers()["etag"], response.extensions().get()), (&"7".parse().unwrap(), Some(&7_u8)));
}

/// BO-10: readiness, rejections and errors are those of the plain service; a ready clone holds nothing.
#[tokio::test(start_paused = true)]
async fn the_service() {
    let (breaker, told) = plain();
    let (mut service, mut handle) =
        mock::spawn_with(|inner: mock::Mock<Request<()>, Response<Script>>| layer(&breaker).layer(inner));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(9);
    assert_ready_ok!(service.poll_ready());
    let call = service.call(Request::new(()));
    let (_, send) = handle.next_request().await.unwrap();
    send.send_error("leak");
    assert_eq!(call.await.unwrap_err().to_string(), "leak");
    assert_eq!((told.take(), breaker.state()), (vec![FAILURE], State::Open));
    assert_ready_ok!(service.poll_ready());
    let refused = service.call(Request::new(())).await.unwrap_err();
    assert!(matches!(seaworthy::StackError::rejected(&refused), Some(seaworthy::Rejected::CircuitOpen { .. })));
    advance(SECOND).await;
    // A ready service that sits idle takes no probe's permit.
    assert_ready_ok!(service.poll_ready());
    assert!(breaker.admit().unwrap().is_probe());
}

/// BO-10: what is accessible through the service, whose inner service need not be shared between threads.
#[test]
fn access_to_the_parts() {
    let (breaker, _) = plain();
    let mut service = layer(&breaker).layer(Rc::new(7));
    assert_eq!((service.circuit_breaker().name().as_str(), **service.get_ref()), ("stream", 7));
    *service.get_mut() = Rc::new(8);
    assert!(format!("{service:?}").contains("stream"));
    assert_eq!(*service.into_inner(), 8);
}
