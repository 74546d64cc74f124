use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::http::HttpClassifier;
use seaworthy::http::grpc::{GrpcClassifier, GrpcMethods, GrpcRespondLayer};
use seaworthy::{
    Backoff, Bulkhead, CircuitBreaker, DeadlineLayer, Policy, Rejected, RetryPolicy, State, Timeout, WrapErrorLayer,
};
use seaworthy_tonic::{ChannelLayer, rejected_of};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Status};
use tower::{ServiceBuilder, service_fn};

use crate::support::numbers::{NumbersClient, NumbersServer, UNARY, all, asking};
use crate::support::{Running, in_time};

async fn numbers() -> Running {
    Running::start(async |listener| {
        let server = Server::builder().add_service(NumbersServer);
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
    })
    .await
}

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("numbers").consecutive_failures(5).build().expect("valid settings")
}

fn pushback(status: &Status) -> Option<&str> {
    status.metadata().get("grpc-retry-pushback-ms").map(|value| value.to_str().expect("digits"))
}

/// TR-03: five UNAVAILABLE, and as many INTERNAL after a message, open the circuit; before, with the verdicts of HTTP or
/// without the body's scope, it stayed closed.
#[tokio::test]
async fn tr_03_five_failures_open_the_circuit() {
    let server = numbers().await;
    let (by_errors, by_http, at_head, unary, stream) =
        (circuit_breaker(), circuit_breaker(), circuit_breaker(), circuit_breaker(), circuit_breaker());
    let channel = || ServiceBuilder::new().layer(ChannelLayer::new()).service(server.channel());
    let with_errors = NumbersClient::new(ServiceBuilder::new().layer(by_errors.layer()).service(channel()));
    let http = by_http.layer().classify(HttpClassifier);
    let with_http = NumbersClient::new(ServiceBuilder::new().layer(http).service(channel()));
    let head = at_head.layer().classify(GrpcClassifier::new());
    let with_head = NumbersClient::new(ServiceBuilder::new().layer(head).service(channel()));
    let with_unary = NumbersClient::new(ServiceBuilder::new().layer(unary.grpc_layer()).service(channel()));
    let with_stream = NumbersClient::new(ServiceBuilder::new().layer(stream.grpc_layer()).service(channel()));
    for count in 1..=5 {
        for answer in [
            in_time(with_errors.double(asking(7, "14"))).await,
            in_time(with_http.double(asking(7, "14"))).await,
            in_time(with_unary.double(asking(7, "14"))).await,
        ] {
            let status = answer.expect_err("as asked");
            assert_eq!((status.code(), status.message()), (Code::Unavailable, "as you asked"));
        }
        for answer in [with_stream.count_to(asking(3, "13")).await, with_head.count_to(asking(3, "13")).await] {
            let (numbers, end) = in_time(all(answer)).await;
            assert_eq!((numbers, end.expect_err("as asked").code()), (vec![1, 2, 3], Code::Internal));
        }
        let expected = if count == 5 { State::Open } else { State::Closed };
        assert_eq!((unary.state(), stream.state()), (expected, expected), "{count}");
    }
    let before = [by_errors, by_http, at_head].map(|circuit_breaker| circuit_breaker.state());
    assert_eq!(before, [State::Closed, State::Closed, State::Closed]);
}

/// TR-03, X-01: what a tonic client sees of a rejection in the stack below it. Before: `Unknown`. With a `ChannelLayer`
/// at the bottom: the status of the table, from which the rejection can be had. With a `GrpcRespondLayer` on top, which
/// needs nothing of this crate: the same status.
#[tokio::test]
async fn tr_03_a_rejection_below_a_tonic_client() {
    let server = numbers().await;
    let circuit_breaker = circuit_breaker();
    circuit_breaker.force_open();
    let before = ServiceBuilder::new()
        .layer(circuit_breaker.grpc_layer())
        .layer(WrapErrorLayer::new())
        .service(server.channel());
    let status = in_time(NumbersClient::new(before.clone()).double(Request::new(7))).await.expect_err("it is open");
    assert_eq!((status.code(), pushback(&status)), (Code::Unknown, None));

    let answered = ServiceBuilder::new().layer(GrpcRespondLayer::new()).service(before);
    let status = in_time(NumbersClient::new(answered).double(Request::new(7))).await.expect_err("it is open");
    let seen = (status.code(), status.message(), pushback(&status));
    assert_eq!(seen, (Code::Unavailable, "circuit open", Some("-1")));
    assert!(rejected_of(&status).is_none());

    let bulkhead = Bulkhead::builder("numbers").limit(1).retry_after(Duration::from_secs(3)).build();
    let bulkhead = bulkhead.expect("valid settings");
    let _permit = bulkhead.try_acquire().expect("it has room");
    let channel = || ServiceBuilder::new().layer(ChannelLayer::new()).service(server.channel());
    let open = ServiceBuilder::new().layer(circuit_breaker.grpc_layer()).service(channel());
    let full = ServiceBuilder::new().layer(bulkhead.layer()).service(channel());
    let hangs = ServiceBuilder::new().layer(Timeout::new(Duration::from_millis(30)).layer()).service(channel());
    let late = ServiceBuilder::new().layer(DeadlineLayer::within(Duration::ZERO)).service(channel());
    for (answer, code, message, wait) in [
        (NumbersClient::new(open).double(Request::new(7)).await, Code::Unavailable, "circuit open", Some("-1")),
        (
            NumbersClient::new(full).double(Request::new(7)).await,
            Code::ResourceExhausted,
            "bulkhead full",
            Some("3000"),
        ),
        (NumbersClient::new(hangs).double(asking(7, "hold")).await, Code::DeadlineExceeded, "timed out", None),
        (
            NumbersClient::new(late).double(Request::new(7)).await,
            Code::DeadlineExceeded,
            "deadline exceeded",
            Some("-1"),
        ),
    ] {
        let status = answer.expect_err("it is rejected");
        assert_eq!((status.code(), status.message(), pushback(&status)), (code, message, wait));
        assert!(rejected_of(&status).is_some(), "{status:?}");
    }
}

/// TR-03, GR-06: a call of a method that is named is made again if its head said UNAVAILABLE, and its message arrives
/// whole; that of another method is not, nor is one that a server's open circuit refused, which says so.
#[tokio::test]
async fn tr_03_retries() {
    let arrived = Arc::new(AtomicU32::new(0));
    let refusing = circuit_breaker();
    let server = {
        let (arrived, refusing) = (Arc::clone(&arrived), refusing.clone());
        Running::start(async move |listener| {
            let count = tower::layer::layer_fn(move |inner: tonic::service::Routes| {
                let arrived = Arc::clone(&arrived);
                service_fn(move |request: http::Request<tonic::body::Body>| {
                    let mut inner = inner.clone();
                    let first = arrived.fetch_add(1, Ordering::Relaxed) == 0;
                    async move {
                        if first {
                            return Ok(Status::unavailable("not yet").into_http());
                        }
                        tower::Service::call(&mut inner, request).await
                    }
                })
            });
            let stack = ServiceBuilder::new()
                .layer(GrpcRespondLayer::new())
                .layer(refusing.layer())
                .layer(WrapErrorLayer::new())
                .layer(count);
            let server = Server::builder().layer(stack).add_service(NumbersServer);
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
        })
        .await
    };
    let retry = RetryPolicy::builder("numbers").backoff(Backoff::constant(Duration::from_millis(1))).build();
    let methods = GrpcMethods::builder().idempotent("/test.Numbers/Double").build().expect("valid names");
    let stack = ServiceBuilder::new()
        .layer(retry.expect("valid settings").grpc_layer(methods))
        .layer(ChannelLayer::new())
        .service(server.channel());
    let client = NumbersClient::new(stack);

    let answer = in_time(client.double(Request::new(7))).await.expect("the second attempt succeeds");
    assert_eq!((answer.into_inner(), arrived.swap(0, Ordering::Relaxed)), (14, 2));

    let (numbers, end) = in_time(all(client.count_to(Request::new(3)).await)).await;
    assert_eq!((numbers, end.expect_err("not named").code()), (vec![], Code::Unavailable));
    assert_eq!(arrived.swap(1, Ordering::Relaxed), 1);

    refusing.force_open();
    let status = in_time(client.double(Request::new(7))).await.expect_err("the server's circuit is open");
    assert_eq!((status.code(), pushback(&status)), (Code::Unavailable, Some("-1")));
    assert!(rejected_of(&status).is_none(), "it is the server's rejection, not ours");
    assert_eq!((arrived.load(Ordering::Relaxed), refusing.snapshot().rejected), (1, 1));
}

/// TR-03: a policy's layer under a tonic client: retries of the methods that are named, a verdict at the trailers, permits
/// held by streams, and its own rejections as statuses.
#[tokio::test]
async fn tr_03_a_policy_under_a_tonic_client() {
    let server = numbers().await;
    let policy = Policy::builder("numbers")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(5))
        .bulkhead(|bulkhead| bulkhead.limit(1))
        .timeout(Duration::from_secs(5))
        .retry(|retry| retry.attempts(2).backoff(Backoff::constant(Duration::from_millis(1))))
        .build()
        .expect("valid settings");
    let methods = GrpcMethods::builder().idempotent(UNARY).build().expect("valid names");
    let stack =
        ServiceBuilder::new().layer(policy.grpc_layer(methods)).layer(ChannelLayer::new()).service(server.channel());
    let client = NumbersClient::new(stack);
    assert_eq!(in_time(client.double(Request::new(7))).await.expect("all is well").into_inner(), 14);
    assert_eq!(in_time(client.sum(vec![1, 2, 3], None)).await.expect("all is well").into_inner(), 6);
    let (numbers, end) = in_time(all(client.double_each(Request::new(tokio_stream::iter([1, 2]))).await)).await;
    assert!(numbers == [2, 4] && end.is_ok());

    let mut stream = in_time(client.count_to(asking(1, "hold"))).await.expect("it begins").into_inner();
    assert_eq!(in_time(stream.message()).await.expect("a message"), Some(1));
    let status = in_time(client.double(Request::new(7))).await.expect_err("the stream has the permit");
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "bulkhead full"));
    drop(stream);

    // Named: two attempts each. Not named, and failed after its messages: one.
    for _ in 0..2 {
        let status = in_time(client.double(asking(7, "14"))).await.expect_err("as asked");
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "as you asked"));
    }
    assert_eq!(policy.snapshot().circuit_breaker.map(|snapshot| snapshot.state), Some(State::Closed));
    let (numbers, end) = in_time(all(client.count_to(asking(2, "13")).await)).await;
    assert_eq!((numbers, end.expect_err("as asked").code()), (vec![1, 2], Code::Internal));
    assert_eq!(policy.snapshot().circuit_breaker.map(|snapshot| snapshot.state), Some(State::Open));
    let status = in_time(client.double(Request::new(7))).await.expect_err("it is open");
    assert_eq!((status.code(), pushback(&status)), (Code::Unavailable, Some("-1")));
    assert!(matches!(rejected_of(&status), Some(Rejected::CircuitOpen { .. })));
}

/// TR-03, GR-18: a stream holds its permit to its end, whether that is the server's or the reader's; until then the
/// circuit breaker has no verdict.
#[tokio::test]
async fn tr_03_a_stream_holds_its_permit() {
    let server = numbers().await;
    let bulkhead = Bulkhead::builder("numbers").limit(1).build().expect("valid settings");
    let stack = ServiceBuilder::new()
        .layer(bulkhead.layer().until_body_end())
        .layer(ChannelLayer::new())
        .service(server.channel());
    let client = NumbersClient::new(stack);

    let mut stream = in_time(client.count_to(asking(2, "hold"))).await.expect("it begins").into_inner();
    for number in 1..=2 {
        assert_eq!(in_time(stream.message()).await.expect("a message"), Some(number));
    }
    assert_eq!(bulkhead.in_use(), 1);
    let status = in_time(client.double(Request::new(7))).await.expect_err("the stream has the permit");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(matches!(rejected_of(&status), Some(Rejected::BulkheadFull { .. })));
    drop(stream);
    assert_eq!(bulkhead.in_use(), 0);

    let (numbers, end) = in_time(all(client.count_to(Request::new(2)).await)).await;
    assert!(numbers == [1, 2] && end.is_ok());
    assert_eq!(bulkhead.in_use(), 0);
    assert_eq!(in_time(client.double(Request::new(7))).await.expect("there is room").into_inner(), 14);
}
