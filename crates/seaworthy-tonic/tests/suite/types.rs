use std::error::Error as StdError;
use std::time::Duration;

use seaworthy::http::SplitError;
use seaworthy::http::grpc::{Code, grpc_response_of, grpc_status_of};
use seaworthy::{
    BoxError, CircuitBreaker, Classify, Deadline, DeadlineStage, Error, Rejected, RetryAfter, StackError, State,
    Verdict,
};
use seaworthy_tonic::{TonicClassifier, TonicError, rejected_of, status_of};
use tonic::{Code as TonicCode, Status};

fn rejections() -> [(Rejected, TonicCode, &'static str, Option<&'static str>); 11] {
    let name = || "secret".into();
    let known = || RetryAfter::from(Duration::from_nanos(1_500_000_001));
    let exceeded =
        |stage| (Rejected::DeadlineExceeded { stage }, TonicCode::DeadlineExceeded, "deadline exceeded", Some("-1"));
    [
        (
            Rejected::CircuitOpen { name: name(), retry_after: known() },
            TonicCode::Unavailable,
            "circuit open",
            Some("-1"),
        ),
        (
            Rejected::BulkheadFull { name: name(), retry_after: known() },
            TonicCode::ResourceExhausted,
            "bulkhead full",
            Some("1501"),
        ),
        (
            Rejected::BulkheadFull { name: name(), retry_after: RetryAfter::UNKNOWN },
            TonicCode::ResourceExhausted,
            "bulkhead full",
            None,
        ),
        (
            Rejected::NotReady { reason: name(), retry_after: RetryAfter::UNKNOWN },
            TonicCode::Unavailable,
            "not ready",
            None,
        ),
        (
            Rejected::NotReady { reason: name(), retry_after: known() },
            TonicCode::Unavailable,
            "not ready",
            Some("1501"),
        ),
        (
            Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: Some(name()) },
            TonicCode::DeadlineExceeded,
            "timed out",
            None,
        ),
        exceeded(DeadlineStage::Arrival),
        exceeded(DeadlineStage::Queue),
        exceeded(DeadlineStage::Attempt),
        exceeded(DeadlineStage::Body),
        (Rejected::Withdrawn { name: name() }, TonicCode::Unavailable, "call withdrawn", Some("-1")),
    ]
}

fn pushback(status: &Status) -> Option<&str> {
    status.metadata().get("grpc-retry-pushback-ms").map(|value| value.to_str().expect("digits"))
}

/// GR-17, X-01: a rejection's status has the code of the table, the words and the pushback of an answer over the wire,
/// no name, and the rejection itself as its source. A status that came over the wire is no rejection.
#[test]
fn gr_17_a_rejection_is_a_status_and_a_status_a_rejection() {
    for (rejected, code, message, wait) in rejections() {
        let status = status_of(&rejected);
        assert_eq!((status.code(), status.message(), pushback(&status)), (code, message, wait), "{rejected}");
        assert_eq!(i32::from(status.code()), i32::from(grpc_status_of(&rejected)));
        assert!(!status.message().contains("secret") && status.details().is_empty());
        assert_eq!(status.metadata().len(), usize::from(wait.is_some()), "{rejected}");
        assert_eq!(rejected_of(&status), Some(&rejected));

        // Over the wire it reads as what a `GrpcRespondLayer` would have sent, and is no rejection any more.
        for sent in [status.into_http::<()>(), grpc_response_of(&rejected)] {
            let received = Status::from_header_map(sent.headers()).expect("a status");
            assert_eq!((received.code(), received.message(), pushback(&received)), (code, message, wait));
            assert_eq!(sent.headers().len(), 3 + usize::from(wait.is_some()), "{rejected}");
            assert_eq!(rejected_of(&received), None);
        }
    }
    assert_eq!(rejected_of(&Status::unavailable("circuit open")), None);
}

/// GR-17: a stack's error can be tonic's status: it takes up a rejection and gives it back, bare, boxed, in a status and
/// split, and tonic finds the status in it with all that it has.
#[test]
fn gr_17_a_stack_error() {
    for (rejected, code, message, wait) in rejections() {
        let error = TonicError::from(rejected.clone());
        assert_eq!(error.rejected(), Some(&rejected));
        assert_eq!(error.is_before_call(), rejected.is_before_call());
        assert_eq!(error.clone().split().ok(), Some(rejected.clone()));

        // As the error of a stack under a tonic client.
        let status = Status::from_error(BoxError::from(error.clone()));
        assert_eq!((status.code(), status.message(), pushback(&status)), (code, message, wait));
        assert_eq!(rejected_of(&status), Some(&rejected));
        // As the error of a layer above that knows boxes only.
        assert_eq!(BoxError::from(error).rejected(), Some(&rejected));
        // Without a `TonicError` in between, tonic knows no code for it, but the rejection is still there.
        let bare = Status::from_error(BoxError::from(Error::<TonicError>::Rejected(rejected.clone())));
        assert_eq!((bare.code(), rejected_of(&bare)), (TonicCode::Unknown, Some(&rejected)));
        let found = TonicError::from_error(Error::<TonicError>::Rejected(rejected.clone()));
        assert_eq!((found.status().code(), found.rejected()), (code, Some(&rejected)));
    }

    let mut status = Status::with_details(TonicCode::Aborted, "try again", bytes::Bytes::from_static(b"why"));
    status.metadata_mut().insert("hint", "later".parse().expect("metadata"));
    let error = TonicError::from(status);
    assert!(error.rejected().is_none() && !error.is_before_call());
    assert_eq!(error.to_string(), "gRPC call failed: ABORTED");
    assert!(error.source().is_some_and(|source| source.to_string().contains("try again")));
    let rest = error.split().expect_err("no rejection").into_status();
    let seen = Status::from_error(TonicError::from(rest).into());
    assert_eq!((seen.code(), seen.message(), seen.details()), (TonicCode::Aborted, "try again", &b"why"[..]));
    assert_eq!(seen.metadata().get("hint").and_then(|hint| hint.to_str().ok()), Some("later"));
    assert_eq!(size_of::<TonicError>(), size_of::<usize>());
}

/// GR-17, GR-04: statuses get the verdicts that a `GrpcClassifier` gives to responses, whichever type holds them.
#[tokio::test(start_paused = true)]
async fn gr_17_verdicts() {
    fn verdict(classifier: TonicClassifier, status: Status) -> Verdict {
        let bare = classifier.classify(&Err::<(), _>(status.clone()));
        assert_eq!(classifier.classify(&Err::<(), _>(TonicError::from(status.clone()))), bare);
        assert_eq!(classifier.classify(&Err::<(), _>(Error::Inner(status))), bare);
        bare
    }
    let by_default = |code: i32| verdict(TonicClassifier::new(), Status::new(TonicCode::from_i32(code), ""));
    for code in 0..=16 {
        let expected = match code {
            2 | 4 | 13 | 14 | 15 => Verdict::Failure,
            8 => Verdict::Throttled,
            1 => Verdict::Ignored,
            _ => Verdict::Success,
        };
        assert_eq!(by_default(code), expected, "{code}");
    }
    assert_eq!(TonicClassifier::new().classify(&Ok::<(), TonicError>(())), Verdict::Success);
    assert_eq!(TonicClassifier::new().classify(&Ok::<(), Status>(())), Verdict::Success);
    assert_eq!(TonicClassifier::new().classify(&Ok::<(), Error<Status>>(())), Verdict::Success);

    let own = TonicClassifier::new().failures(&[Code::NotFound]);
    assert_eq!(verdict(own, Status::not_found("")), Verdict::Failure);
    assert_eq!(verdict(own, Status::unavailable("")), Verdict::Success);

    // The server says that time is up, and so it is, or it is not.
    let exceeded = || async { by_default(4) };
    assert_eq!(Deadline::within(Duration::ZERO).scope(exceeded()).await, Verdict::DeadlineExceeded);
    assert_eq!(Deadline::within(Duration::from_secs(1)).scope(exceeded()).await, Verdict::Failure);

    // Rejections go by what they are, whatever the codes that count.
    for (rejected, ..) in rejections() {
        let expected = match &rejected {
            Rejected::TimedOut { .. } => Verdict::Failure,
            Rejected::DeadlineExceeded { stage } if !stage.is_before_call() => Verdict::DeadlineExceeded,
            _ => Verdict::Ignored,
        };
        for classifier in [TonicClassifier::new(), own] {
            assert_eq!(verdict(classifier, status_of(&rejected)), expected, "{rejected}");
            assert_eq!(classifier.classify(&Err::<(), _>(Error::<Status>::Rejected(rejected.clone()))), expected);
        }
    }
}

/// GR-17: around the typed side, five statuses that say UNAVAILABLE open the circuit, and the next call gets the status
/// of the rejection without being made.
#[tokio::test]
async fn gr_17_around_a_typed_client() {
    let circuit_breaker = CircuitBreaker::builder("cart").consecutive_failures(5).build().expect("valid settings");
    let calls = circuit_breaker.classify(TonicClassifier::new());
    let unavailable = || async { Err::<(), _>(TonicError::from(Status::unavailable("restarting"))) };
    for _ in 0..4 {
        assert!(calls.run(unavailable()).await.is_err());
    }
    assert_eq!(circuit_breaker.state(), State::Closed);
    let fifth = calls.run(async { Err::<(), _>(Error::Inner(Status::unavailable("restarting"))) }).await;
    assert!(fifth.is_err_and(|error| !error.is_rejected()));
    assert_eq!(circuit_breaker.state(), State::Open);

    let mut made = false;
    let answer = calls.run(async {
        made = true;
        Ok::<_, TonicError>(())
    });
    let status = Status::from(answer.await.expect_err("the circuit is open"));
    assert_eq!(
        (status.code(), status.message(), pushback(&status)),
        (TonicCode::Unavailable, "circuit open", Some("-1"))
    );
    assert!(!made);
}
