use std::time::Duration;

use h2::Reason;
use seaworthy::http::BodyTimeoutLayer;
use seaworthy::{CircuitBreaker, Classify, Deadline, OnDeadline, OnDrop, Timeout, Verdict};
use seaworthy_tonic::{ChannelLayer, TonicClassifier};
use tonic::{Code, Request, Status};
use tower::ServiceBuilder;

use crate::support::h2_server::{Fault, faulty};
use crate::support::numbers::NumbersClient;
use crate::support::verdicts::Verdicts;
use crate::support::{LONG, endpoint, in_time, nobody};

fn circuit_breaker(verdicts: &Verdicts) -> CircuitBreaker {
    CircuitBreaker::builder("numbers").observer(verdicts.clone()).build().expect("valid settings")
}

/// What a unary call comes to, and what the circuit breaker counts for it.
async fn call(fault: Fault) -> (Result<u64, Status>, Vec<Verdict>) {
    let verdicts = Verdicts::default();
    let server = faulty(fault).await;
    let stack = ServiceBuilder::new()
        .layer(circuit_breaker(&verdicts).grpc_layer())
        .layer(ChannelLayer::new())
        .service(server.channel());
    let answer = in_time(NumbersClient::new(stack).double(Request::new(7))).await;
    (answer.map(tonic::Response::into_inner), verdicts.take())
}

/// TR-03: what a server does with a call, and what the circuit breaker counts: once, and a failure whatever breaks off
/// or ends without a status, though tonic says `Cancelled` to some of them. A server that says no is a success.
#[tokio::test]
async fn tr_03_faults_and_what_counts() {
    use Verdict::{Failure, Ignored, Success, Throttled};
    for (fault, verdict) in [
        (Fault::None, Success),
        (Fault::Trailers("0"), Success),
        (Fault::Trailers("5"), Success),
        (Fault::Trailers("1"), Ignored),
        (Fault::Trailers("8"), Throttled),
        (Fault::Trailers("14"), Failure),
        (Fault::Trailers("014"), Failure),
        (Fault::Trailers("99"), Failure),
        (Fault::TrailersOnly("0"), Success),
        (Fault::TrailersOnly("12"), Success),
        (Fault::TrailersOnly("14"), Failure),
        (Fault::CutBeforeHead, Failure),
        (Fault::ResetBeforeHead(Reason::INTERNAL_ERROR), Failure),
        (Fault::ResetBeforeHead(Reason::REFUSED_STREAM), Failure),
        (Fault::ResetBeforeHead(Reason::CANCEL), Failure),
        (Fault::CutInBody, Failure),
        (Fault::ResetInBody(Reason::INTERNAL_ERROR), Failure),
        (Fault::ResetInBody(Reason::CANCEL), Failure),
        (Fault::ResetInBody(Reason::NO_ERROR), Failure),
        (Fault::CutInTrailers, Failure),
        (Fault::ResetInTrailers(Reason::INTERNAL_ERROR), Failure),
        (Fault::ResetInTrailers(Reason::CANCEL), Failure),
        (Fault::ResetInTrailers(Reason::NO_ERROR), Failure),
        (Fault::NoTrailers, Failure),
        (Fault::NoStatus, Failure),
        (Fault::EmptyHead, Failure),
        (Fault::Http(404), Success),
        (Fault::Http(429), Failure),
        (Fault::Http(503), Failure),
        (Fault::GoAwayAndClose, Failure),
        (Fault::GoAwayAndFinish, Success),
    ] {
        let (answer, verdicts) = call(fault).await;
        assert_eq!(verdicts, [verdict], "{fault:?}: {answer:?}");
        let is_answered = matches!(fault, Fault::None | Fault::Trailers("0") | Fault::GoAwayAndFinish);
        assert_eq!(answer.as_ref().ok(), is_answered.then_some(&14), "{fault:?}: {answer:?}");
    }
}

/// TR-03: nobody listens: `Unavailable`, and a failure.
#[tokio::test]
async fn tr_03_no_connection() {
    let verdicts = Verdicts::default();
    let stack = ServiceBuilder::new()
        .layer(circuit_breaker(&verdicts).grpc_layer())
        .layer(ChannelLayer::new())
        .service(endpoint(nobody().await).connect_lazy());
    let status = in_time(NumbersClient::new(stack).double(Request::new(7))).await.expect_err("nobody listens");
    assert_eq!((status.code(), verdicts.take()), (Code::Unavailable, vec![Verdict::Failure]), "{status:?}");
}

const SOON: Duration = Duration::from_millis(60);

/// TR-03: a server that stalls before its head: a timeout ends the call, which is a failure; the deadline ends it, which
/// goes by `on_deadline`, although the channel has a timer of its own and calls it cancelled.
#[tokio::test]
async fn tr_03_stalls_before_the_head() {
    let server = faulty(Fault::StallBeforeHead).await;
    let verdicts = Verdicts::default();
    let stack = ServiceBuilder::new()
        .layer(circuit_breaker(&verdicts).grpc_layer())
        .layer(Timeout::new(SOON).layer())
        .layer(ChannelLayer::new())
        .service(server.channel());
    let status = in_time(NumbersClient::new(stack).double(Request::new(7))).await.expect_err("it stalls");
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "timed out"));
    assert_eq!(verdicts.take(), [Verdict::Failure]);

    for (on_deadline, verdict) in [(OnDeadline::Ignore, Verdict::Ignored), (OnDeadline::Failure, Verdict::Failure)] {
        let circuit_breaker = CircuitBreaker::builder("numbers").on_deadline(on_deadline).observer(verdicts.clone());
        let stack = ServiceBuilder::new()
            .layer(circuit_breaker.build().expect("valid settings").grpc_layer())
            .layer(ChannelLayer::new())
            .service(server.channel());
        let mut request = Request::new(7);
        request.set_timeout(SOON);
        let client = NumbersClient::new(stack);
        let answer = in_time(Deadline::within(SOON).scope(client.double(request))).await;
        let status = answer.expect_err("it stalls");
        assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "deadline exceeded"));
        assert_eq!(verdicts.take(), [verdict]);
    }
}

/// TR-03: a server that sends 200 and stalls: a caller that gives up counts by `on_body_drop`, and a limit on the body,
/// below, is a failure.
#[tokio::test]
async fn tr_03_stalls_in_the_body() {
    let server = faulty(Fault::StallInBody).await;
    let verdicts = Verdicts::default();
    for (on_drop, verdict) in [(OnDrop::Ignore, Verdict::Ignored), (OnDrop::Failure, Verdict::Failure)] {
        let stack = ServiceBuilder::new()
            .layer(circuit_breaker(&verdicts).grpc_layer().on_body_drop(on_drop))
            .layer(ChannelLayer::new())
            .service(server.channel());
        let client = NumbersClient::new(stack);
        assert!(tokio::time::timeout(SOON, client.double(Request::new(7))).await.is_err());
        assert_eq!(verdicts.take(), [verdict]);
    }

    let stack = ServiceBuilder::new()
        .layer(circuit_breaker(&verdicts).grpc_layer())
        .layer(BodyTimeoutLayer::builder().idle(SOON).build().expect("valid settings"))
        .layer(ChannelLayer::new())
        .service(server.channel());
    let status = in_time(NumbersClient::new(stack).double(Request::new(7))).await.expect_err("it stalls");
    assert!(seaworthy_tonic::rejected_of(&status).is_some(), "{status:?}");
    assert_eq!(verdicts.take(), [Verdict::Failure]);
}

/// GR-17: the typed side judges what tonic makes of a fault, which is `Cancelled` where the server reset the stream with
/// that reason, or where the channel's own timer ended the call and no deadline has passed: nothing, and a failure to a
/// circuit breaker under the client.
#[tokio::test]
async fn gr_17_what_the_typed_side_sees() {
    for (fault, code, verdict) in [
        (Fault::ResetBeforeHead(Reason::CANCEL), Code::Cancelled, Verdict::Ignored),
        (Fault::ResetBeforeHead(Reason::INTERNAL_ERROR), Code::Internal, Verdict::Failure),
        (Fault::ResetBeforeHead(Reason::REFUSED_STREAM), Code::Unavailable, Verdict::Failure),
        (Fault::NoTrailers, Code::Unknown, Verdict::Failure),
        (Fault::Http(503), Code::Unavailable, Verdict::Failure),
        (Fault::Http(404), Code::Unimplemented, Verdict::Success),
        (Fault::StallBeforeHead, Code::Cancelled, Verdict::Ignored),
    ] {
        let (server, under) = (faulty(fault).await, Verdicts::default());
        let stack =
            ServiceBuilder::new().layer(circuit_breaker(&under).grpc_layer()).layer(ChannelLayer::new()).service(
                server.endpoint().timeout(if fault == Fault::StallBeforeHead { SOON } else { LONG }).connect_lazy(),
            );
        let call = NumbersClient::new(stack).double(Request::new(7)).await;
        assert_eq!(call.as_ref().err().map(Status::code), Some(code), "{fault:?}: {call:?}");
        assert_eq!(TonicClassifier::new().classify(&call), verdict, "{fault:?}");
        let expected = if fault == Fault::Http(404) { Verdict::Success } else { Verdict::Failure };
        assert_eq!(under.take(), [expected], "{fault:?}");
    }
}
