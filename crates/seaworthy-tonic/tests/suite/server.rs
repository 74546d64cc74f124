use std::time::Duration;

use seaworthy::http::grpc::{GrpcMethods, GrpcRespondLayer};
use seaworthy::http::{InboundLayer, OutboundLayer, RespondLayer};
use seaworthy::{Bulkhead, CircuitBreaker, Health, Phase, RetryPolicy, Timeout, Verdict, WrapErrorLayer};
use seaworthy_tonic::{ChannelLayer, rejected_of};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Status};
use tower::ServiceBuilder;

use crate::support::numbers::{NumbersClient, NumbersServer, UNARY, all, asking};
use crate::support::verdicts::Verdicts;
use crate::support::{Running, in_time};

const SECOND: Duration = Duration::from_secs(1);

/// Serves numbers behind a stack of these layers.
macro_rules! numbers_behind {
    ($stack:expr) => {{
        let stack = $stack;
        Running::start(async move |listener| {
            let server = Server::builder().layer(stack).add_service(NumbersServer);
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
        })
        .await
    }};
}

/// The parts of a server's stack, to which a test does things.
struct Parts {
    health: Health,
    bulkhead: Bulkhead,
}

async fn whole_server(time: Duration) -> (Running, Parts) {
    let health = Health::new();
    health.advance(Phase::Serving);
    let bulkhead = Bulkhead::builder("server").limit(8).retry_after(3 * SECOND).build().expect("valid settings");
    let server = numbers_behind!(
        ServiceBuilder::new()
            .layer(GrpcRespondLayer::new())
            .layer(InboundLayer::new())
            .layer(health.readiness_layer())
            .layer(bulkhead.layer().until_body_end())
            .layer(Timeout::new(time).layer())
            .layer(WrapErrorLayer::new())
    );
    (server, Parts { health, bulkhead })
}

fn pushback(status: &Status) -> Option<&str> {
    status.metadata().get("grpc-retry-pushback-ms").map(|value| value.to_str().expect("digits"))
}

/// TR-03: each of the four kinds of calls goes through the whole client stack and the whole server stack, its messages
/// arrive in order, its end is the server's, and each is settled once, when it ends.
#[tokio::test]
async fn tr_03_four_kinds_of_calls_through_both_stacks() {
    let (server, parts) = whole_server(5 * SECOND).await;
    let (verdicts, bulkhead) = (Verdicts::default(), Bulkhead::builder("client").limit(8).build());
    let bulkhead = bulkhead.expect("valid settings");
    let circuit_breaker = CircuitBreaker::builder("numbers").observer(verdicts.clone()).build();
    let retry = RetryPolicy::builder("numbers").build().expect("valid settings");
    let stack = ServiceBuilder::new()
        .layer(Timeout::new(10 * SECOND).layer())
        .layer(retry.grpc_layer(GrpcMethods::builder().idempotent(UNARY).build().expect("valid names")))
        .layer(circuit_breaker.expect("valid settings").grpc_layer())
        .layer(bulkhead.layer().until_body_end())
        .layer(Timeout::new(5 * SECOND).layer())
        .layer(OutboundLayer::new())
        .layer(ChannelLayer::new())
        .service(server.channel());
    let client = NumbersClient::new(stack);

    for (then, code, verdict) in [
        (None, None, Verdict::Success),
        (Some("5"), Some(Code::NotFound), Verdict::Success),
        (Some("13"), Some(Code::Internal), Verdict::Failure),
    ] {
        let answer = in_time(client.double(asking(7, then))).await;
        assert_eq!(answer.as_ref().err().map(Status::code), code);
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.into_inner() == 14));
        assert_eq!(verdicts.take(), [verdict], "unary, {then:?}");

        let (numbers, end) = in_time(all(client.count_to(asking(1000, then)).await)).await;
        assert!(numbers.into_iter().eq(1..=1000));
        assert_eq!((end.err().map(|status| status.code()), verdicts.take()), (code, vec![verdict]), "{then:?}");

        let answer = in_time(client.sum((1..=100).collect(), then)).await;
        assert_eq!(answer.as_ref().err().map(Status::code), code);
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.into_inner() == 5050));
        assert_eq!(verdicts.take(), [verdict], "client stream, {then:?}");

        // Each number is sent once the one before has come back.
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let numbers = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut doubled = in_time(client.double_each(asking(numbers, then))).await.expect("a head").into_inner();
        for number in 1..=3 {
            sender.send(number).await.expect("the server reads");
            assert_eq!(in_time(doubled.message()).await.expect("a message"), Some(2 * number));
            assert_eq!((verdicts.take(), bulkhead.in_use(), parts.bulkhead.in_use()), (vec![], 1, 1));
        }
        drop(sender);
        let end = in_time(doubled.message()).await;
        assert_eq!((end.as_ref().err().map(Status::code), end.ok().flatten()), (code, None));
        assert_eq!((verdicts.take(), bulkhead.in_use()), (vec![verdict], 0), "bidi, {then:?}");
    }
    // The server's permits go with its last frames, which may be a moment after the client has them.
    in_time(async {
        while parts.bulkhead.in_use() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// TR-03, X-01: what a tonic client sees of a server's rejections: the status of the table, with its pushback, for calls
/// of each kind.
#[tokio::test]
async fn tr_03_a_servers_rejections() {
    let (server, parts) = whole_server(SECOND / 4).await;
    let client = NumbersClient::new(server.channel());
    let assert_rejected = async |then, code, message, wait| {
        for status in [
            in_time(client.double(asking(7, then))).await.expect_err("unary"),
            in_time(client.sum(vec![7], then)).await.expect_err("client stream"),
        ] {
            assert_eq!((status.code(), status.message(), pushback(&status)), (code, message, wait));
            assert!(rejected_of(&status).is_none(), "it is the server's");
        }
        // Streams answer with their heads, so that a timeout does not see what comes later.
        if then.is_none() {
            let bidi = client.double_each(asking(tokio_stream::once(7), then));
            for stream in [in_time(client.count_to(asking(3, then))).await, in_time(bidi).await] {
                let status = stream.expect_err("it is rejected");
                assert_eq!((status.code(), status.message(), pushback(&status)), (code, message, wait));
            }
        }
    };
    assert_rejected(Some("hold"), Code::DeadlineExceeded, "timed out", None).await;

    let permits: Vec<_> = (0..8).map(|_| parts.bulkhead.try_acquire().expect("it has room")).collect();
    assert_rejected(None, Code::ResourceExhausted, "bulkhead full", Some("3000")).await;
    drop(permits);

    parts.health.require("database", || false).expect("a new name");
    assert_rejected(None, Code::Unavailable, "not ready", None).await;
    assert!(parts.health.remove("database"));

    // Less than it takes to arrive: the client's own timer may end the call first, as if the caller had.
    let mut request = Request::new(7);
    request.metadata_mut().insert("grpc-timeout", "0n".parse().expect("metadata"));
    let status = in_time(client.double(request)).await.expect_err("no time is left");
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");

    assert_eq!(in_time(client.double(Request::new(7))).await.expect("all is well").into_inner(), 14);
}

/// TR-03: before, a server that answers as over HTTP: tonic takes the JSON for a message, and says `Internal`.
#[tokio::test]
async fn tr_03_a_servers_rejections_before() {
    let circuit_breaker = CircuitBreaker::builder("server").build().expect("valid settings");
    circuit_breaker.force_open();
    let over_http = numbers_behind!(
        ServiceBuilder::new().layer(RespondLayer::new()).layer(circuit_breaker.layer()).layer(WrapErrorLayer::new())
    );
    let status = in_time(NumbersClient::new(over_http.channel()).double(Request::new(7))).await.expect_err("open");
    assert_eq!((status.code(), pushback(&status)), (Code::Internal, None));
    assert!(status.message().contains("invalid compression flag: 123"), "{status:?}");

    let over_grpc = numbers_behind!(
        ServiceBuilder::new()
            .layer(GrpcRespondLayer::new())
            .layer(circuit_breaker.layer())
            .layer(WrapErrorLayer::new())
    );
    let status = in_time(NumbersClient::new(over_grpc.channel()).double(Request::new(7))).await.expect_err("open");
    let seen = (status.code(), status.message(), pushback(&status));
    assert_eq!(seen, (Code::Unavailable, "circuit open", Some("-1")));
}

/// TR-03, GR-10: whatever a message says, controls and UTF-8 included, arrives as it was through tonic's client.
#[tokio::test]
async fn tr_03_messages_arrive_as_they_were() {
    let circuit_breaker = CircuitBreaker::builder("server").build().expect("valid settings");
    circuit_breaker.force_open();
    let all_of_ascii: String = (0..=127_u8).map(char::from).collect();
    for text in [String::new(), all_of_ascii, "100 % à la\r\n🚢 %41%zz".to_owned(), "x".repeat(4000)] {
        let said = text.clone();
        let server = numbers_behind!(
            ServiceBuilder::new()
                .layer(GrpcRespondLayer::new().message(move |_| said.clone()))
                .layer(circuit_breaker.layer())
                .layer(WrapErrorLayer::new())
        );
        let status = in_time(NumbersClient::new(server.channel()).double(Request::new(7))).await.expect_err("open");
        assert_eq!((status.code(), status.message()), (Code::Unavailable, text.as_str()));
    }
}
