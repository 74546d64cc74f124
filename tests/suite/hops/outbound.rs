use http::HeaderValue;
use proptest::prelude::*;
use seaworthy::DeadlineStage;
use seaworthy::http::OutboundLayer;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower_test::mock;

use super::*;
use crate::support::{MS, SECOND, advance};

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTO: (&str, &str) = ("content-type", "application/grpc+proto");
const HOUR: Duration = Duration::from_secs(3600);

/// DL-14: what remains, rounded down: in milliseconds, or for gRPC in the finest unit that fits 8 digits.
#[tokio::test(start_paused = true)]
async fn dl_14_what_is_sent() {
    for (left, millis, grpc) in [
        (Duration::from_micros(1999), "1", "1999000n"),
        (1500 * MS, "1500", "1500000u"),
        (100 * SECOND, "100000", "100000m"),
        (27 * HOUR, "97200000", "97200000m"),
        (28 * HOUR, "100800000", "100800S"),
        (24 * 365 * 100 * HOUR, "9999999999", "52560000M"),
    ] {
        for (content_type, name, value, other) in [(JSON, TIMEOUT, millis, GRPC), (PROTO, GRPC, grpc, TIMEOUT)] {
            let call = through(OutboundLayer::new(), request(&[content_type]));
            let seen = Deadline::within(left).scope(call).await.unwrap();
            assert_eq!((seen.all(name), seen.all(other)), (vec![value], vec![]), "{left:?}");
        }
    }
}

/// DL-14: what is gRPC is told by its content type.
#[tokio::test(start_paused = true)]
async fn dl_14_which_header() {
    for (content_type, name) in [
        ("application/grpc", GRPC),
        ("application/grpc+json", GRPC),
        ("application/grpc;charset=utf-8", GRPC),
        ("application/grpc-web", TIMEOUT),
        ("application/json", TIMEOUT),
    ] {
        let call = through(OutboundLayer::new(), request(&[("content-type", content_type)]));
        let seen = Deadline::within(SECOND).scope(call).await.unwrap();
        assert_eq!(
            (seen.all(GRPC).len(), seen.all(TIMEOUT).len()),
            match name {
                GRPC => (1, 0),
                _ => (0, 1),
            }
        );
    }
    let renamed = OutboundLayer::builder().timeout_header("X-Time-Left").build().unwrap();
    for (content_type, name) in [(JSON, "x-time-left"), (PROTO, GRPC)] {
        let seen = Deadline::within(SECOND).scope(through(&renamed, request(&[content_type]))).await.unwrap();
        assert_eq!((seen.all(name).len(), seen.all(TIMEOUT)), (1, vec![]));
    }
}

/// DL-14: what the caller had put there is replaced by the smaller of both, once, and what is malformed by ours. The
/// other header is none of ours.
#[tokio::test(start_paused = true)]
async fn dl_14_the_smaller_of_both() {
    for (headers, name, expected) in [
        (vec![(TIMEOUT, "700")], TIMEOUT, "500"),
        (vec![(TIMEOUT, "300")], TIMEOUT, "300"),
        (vec![(TIMEOUT, "0300")], TIMEOUT, "300"),
        (vec![(TIMEOUT, "700"), (TIMEOUT, "300"), (TIMEOUT, "400")], TIMEOUT, "300"),
        (vec![(TIMEOUT, "x")], TIMEOUT, "500"),
        (vec![(TIMEOUT, "x"), (TIMEOUT, "300")], TIMEOUT, "300"),
        (vec![PROTO, (GRPC, "1S")], GRPC, "500000u"),
        (vec![PROTO, (GRPC, "300m")], GRPC, "300000u"),
        (vec![PROTO, (GRPC, "1S"), (GRPC, "soon"), (GRPC, "1u")], GRPC, "1000n"),
    ] {
        let call = through(OutboundLayer::new(), request(&headers));
        let seen = Deadline::within(500 * MS).scope(call).await.unwrap();
        assert_eq!(seen.all(name), [expected], "{headers:?}");
    }
    let call = through(OutboundLayer::new(), request(&[PROTO, (TIMEOUT, "7")]));
    let seen = Deadline::within(500 * MS).scope(call).await.unwrap();
    assert_eq!((seen.all(TIMEOUT), seen.all(GRPC)), (vec!["7"], vec!["500000u"]));
}

/// DL-14: without a deadline the request goes on untouched, whatever it says.
#[tokio::test]
async fn dl_14_without_a_deadline() {
    let headers = [(TIMEOUT, "0"), (TIMEOUT, "x"), (GRPC, "0n"), PROTO];
    for layer in [OutboundLayer::new(), OutboundLayer::new().allowance(Duration::MAX)] {
        let seen = through(&layer, request(&headers)).await.unwrap();
        assert_eq!((seen.all(TIMEOUT), seen.all(GRPC)), (vec!["0", "x"], vec!["0n"]));
        let seen = Deadline::NEVER.scope(through(&layer, request(&[]))).await.unwrap();
        assert!(seen.headers.is_empty());
    }
}

/// DL-14: the allowance is taken off. What then has less than 1 ms left, or for gRPC nothing, is not sent.
#[tokio::test(start_paused = true)]
async fn dl_14_not_sent() {
    let (told, below) = (Told::default(), Below::default());
    let layer = OutboundLayer::builder().allowance(5 * MS).name("client").observer(told.clone()).build().unwrap();
    let service = layer.layer(below.service());
    let nanos = Duration::from_nanos;
    for (left, headers) in [
        (nanos(5_999_999), vec![JSON]),
        (5 * MS, vec![JSON]),
        (MS, vec![JSON]),
        (5 * MS, vec![PROTO]),
        (Duration::ZERO, vec![PROTO]),
        (SECOND, vec![(TIMEOUT, "0")]),
        (SECOND, vec![PROTO, (GRPC, "0S")]),
    ] {
        let result = Deadline::within(left).scope(service.clone().oneshot(request(&headers))).await;
        assert_eq!(stage(&result), Some(DeadlineStage::Arrival), "{left:?} {headers:?}");
        assert_eq!(told.take(), ["client: arrival, late by 0ns"]);
    }
    let passed = Deadline::within(MS);
    advance(3 * MS).await;
    assert!(passed.scope(service.clone().oneshot(request(&[]))).await.is_err());
    assert_eq!((told.take(), below.calls()), (vec!["client: arrival, late by 2ms".into()], 0));

    for (left, headers, name, expected) in [
        (6 * MS, vec![JSON], TIMEOUT, "1"),
        (nanos(5_000_001), vec![PROTO], GRPC, "1n"),
        (305 * MS, vec![JSON], TIMEOUT, "300"),
    ] {
        let seen = Deadline::within(left).scope(service.clone().oneshot(request(&headers))).await.unwrap();
        assert_eq!(seen.all(name), [expected]);
    }
    assert_eq!((told.take(), below.calls()), (vec![], 3));
}

/// DL-14: it is what remains at `call`, not when the service was made ready or the future is polled. X-02: readiness is
/// the inner service's.
#[tokio::test(start_paused = true)]
async fn dl_14_at_call() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, (), _>(OutboundLayer::new());
    let deadline = Deadline::within(20 * MS);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(2);
    tokio_test::assert_ready_ok!(service.poll_ready());
    advance(4 * MS).await;
    let mut called = None;
    assert_ready!(spawn(deadline.scope(async { called = Some(service.call(request(&[]))) })).poll());
    advance(10 * MS).await;
    let mut call = spawn(called.unwrap());
    assert_pending!(call.poll());
    let (sent, send) = assert_ready!(spawn(handle.next_request()).poll()).unwrap();
    assert_eq!(sent.headers()[TIMEOUT], "16");
    // It only says what is left, and ends nothing by itself.
    advance(SECOND).await;
    assert_pending!(call.poll());
    send.send_response(());
    assert!(assert_ready!(call.poll()).is_ok());
}

/// DL-14: a request whose headers have no room for one more does not panic.
#[tokio::test(start_paused = true)]
async fn dl_14_no_room() {
    let mut full = request(&[]);
    let headers = full.headers_mut();
    for number in 0.. {
        let name = http::HeaderName::from_bytes(format!("h{number}").as_bytes()).unwrap();
        if headers.try_append(name, HeaderValue::from_static("")).is_err() {
            break;
        }
    }
    let before = headers.len();
    let seen = Deadline::within(SECOND).scope(through(OutboundLayer::new(), full)).await.unwrap();
    assert_eq!((seen.headers.len(), seen.all(TIMEOUT)), (before, vec![]));
}

/// The future panics with a message when it is polled after the rejection.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "`OutboundFuture` was polled after it was ready")]
async fn polled_after_the_end() {
    let mut service = OutboundLayer::new().layer(Below::default().service());
    let mut call = spawn(async {});
    assert_ready!(call.poll());
    let mut rejected = None;
    let now = Deadline::within(Duration::ZERO);
    assert_ready!(spawn(now.scope(async { rejected = Some(service.call(request(&[]))) })).poll());
    let mut rejected = spawn(rejected.unwrap());
    assert!(assert_ready!(rejected.poll()).is_err());
    let _ = rejected.poll();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// DL-14: whatever is left, allowed and asked for, the wire never promises more than there is, and the value is one
    /// that the way in reads.
    #[test]
    fn dl_14_never_more_than_there_is(
        left in 0..3_000_000_000_u64,
        unit in prop_oneof![Just(1_u64), Just(1_000), Just(1_000_000)],
        allowance in 0..5_000_u64,
        asked in proptest::option::of(0..100_000_u64),
        is_grpc in any::<bool>(),
    ) {
        let left = Duration::from_nanos(left.saturating_mul(unit));
        let allowance = Duration::from_millis(allowance);
        let (name, content_type) = if is_grpc { (GRPC, PROTO) } else { (TIMEOUT, JSON) };
        let mut request = request(&[content_type]);
        if let Some(asked) = asked {
            let asked = if is_grpc { format!("{asked}m") } else { format!("{asked}") };
            request.headers_mut().insert(name, asked.parse().unwrap());
        }
        let most = left.saturating_sub(allowance);
        let most = asked.map_or(most, |asked| most.min(Duration::from_millis(asked)));
        let least = if is_grpc { Duration::from_nanos(1) } else { MS };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let layer = OutboundLayer::new().allowance(allowance);
            let result = Deadline::within(left).scope(through(&layer, request)).await;
            let Ok(seen) = result else {
                assert_eq!(stage(&result), Some(DeadlineStage::Arrival));
                assert!(most < least);
                return;
            };
            assert!(most >= least);
            let mut next = super::request(&[]);
            next.headers_mut().insert(name, seen.headers[name].clone());
            let arrived = through(seaworthy::http::InboundLayer::new(), next).await.unwrap().left().unwrap();
            assert!(arrived <= most, "{arrived:?} of {most:?}");
            // A unit that is a thousand times as fine would have taken nine digits.
            let lost = most - arrived;
            assert!(lost < if is_grpc { (most / 100_000).max(Duration::from_nanos(1)) } else { MS }, "{lost:?} of {most:?}");
        });
    }
}
