use http::Response;
use seaworthy::http::HttpClassifier;
use seaworthy::http::grpc::{Code, GrpcClassifier};
use seaworthy::{BoxError, CircuitBreaker, Classify, Deadline, OnDeadline, State, Verdict};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{MS, SECOND, advance};

fn head(status: u16, code: Option<&str>) -> Result<Response<()>, BoxError> {
    let builder = Response::builder().status(status);
    let builder = code.into_iter().fold(builder, |builder, code| builder.header("grpc-status", code));
    Ok(builder.body(()).unwrap())
}

fn verdict(status: u16, code: Option<&str>) -> Verdict {
    GrpcClassifier::new().classify(&head(status, code))
}

/// The verdict on this code, as the statement has it.
fn expected(code: i32) -> Verdict {
    match code {
        2 | 4 | 13 | 14 | 15 => Verdict::Failure,
        8 => Verdict::Throttled,
        1 => Verdict::Ignored,
        _ => Verdict::Success,
    }
}

/// GR-04: each code has its verdict; what is no number from 0 to 16 is 2, a failure; and so is an error.
#[test]
fn gr_04_codes_to_verdicts() {
    for code in 0..17 {
        assert_eq!(verdict(200, Some(&code.to_string())), expected(code), "{code}");
    }
    for code in ["17", "-1", "00", "014", "", "OK", "UNAVAILABLE", "99999999999"] {
        assert_eq!(verdict(200, Some(code)), Verdict::Failure, "{code:?}");
    }
    assert_eq!(GrpcClassifier::new().classify(&Err::<Response<()>, BoxError>("reset".into())), Verdict::Failure);
}

/// GR-02: with a `grpc-status` in the head the verdict is given there, and it wins over the HTTP status; without one, a
/// status other than 200 has a code by the table.
#[test]
fn gr_02_the_head() {
    for (status, code) in
        [(400, 13), (431, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14)]
    {
        assert_eq!(verdict(status, None), expected(code), "{status}");
        assert_eq!(verdict(status, Some("0")), Verdict::Success, "{status}");
        assert_eq!(verdict(status, Some("14")), Verdict::Failure, "{status}");
    }
    for status in [100, 201, 204, 206, 302, 304, 402, 405, 500, 501, 505, 599, 999] {
        assert_eq!(verdict(status, None), Verdict::Failure, "{status}: 2 UNKNOWN");
        assert_eq!(verdict(status, Some("5")), Verdict::Success, "{status}");
    }
}

/// GR-03: without a body scope, the verdict is what the head says, and Success if it says nothing.
#[test]
fn gr_03_a_head_that_says_nothing() {
    assert_eq!(verdict(200, None), Verdict::Success);
    assert_eq!(verdict(200, Some("14")), Verdict::Failure);
}

/// GR-04: `failures` changes the set, and nothing makes a failure of what succeeded.
#[test]
fn gr_04_a_set_of_ones_own() {
    let of = |classifier: GrpcClassifier, code: i32| classifier.classify(&head(200, Some(&code.to_string())));
    let own = GrpcClassifier::new().failures(&[Code::Ok, Code::NotFound, Code::ResourceExhausted, Code::Cancelled]);
    for code in 0..17 {
        let expected = if matches!(code, 1 | 5 | 8) { Verdict::Failure } else { Verdict::Success };
        assert_eq!(of(own, code), expected, "{code}");
    }
    let none = GrpcClassifier::default().failures(&[]);
    assert_eq!([0, 1, 8, 14].map(|code| of(none, code)), {
        [Verdict::Success, Verdict::Ignored, Verdict::Throttled, Verdict::Success]
    });
}

/// GR-04: five calls that fail with UNAVAILABLE open a circuit, which the classifier for HTTP leaves closed.
#[tokio::test]
async fn gr_04_it_opens() {
    let circuit_breaker = |name| CircuitBreaker::builder(name).consecutive_failures(5).build().unwrap();
    let (grpc, http) = (circuit_breaker("grpc"), circuit_breaker("http"));
    let server = service_fn(async |_: ()| head(200, Some("14")));
    for _ in 0..5 {
        assert_eq!((grpc.state(), http.state()), (State::Closed, State::Closed));
        grpc.layer().classify(GrpcClassifier::new()).layer(server).oneshot(()).await.unwrap();
        http.layer().classify(HttpClassifier).layer(server).oneshot(()).await.unwrap();
    }
    assert_eq!((grpc.state(), http.state()), (State::Open, State::Closed));
}

/// GR-04: 4 DEADLINE_EXCEEDED goes by `on_deadline` if our own deadline has passed, whatever the set of failures; if it
/// has not, the backend was slow for a reason of its own.
#[tokio::test(start_paused = true)]
async fn gr_04_a_deadline() {
    let late = || GrpcClassifier::new().classify(&head(200, Some("4")));
    let deadline = Deadline::within(SECOND);
    assert_eq!((late(), deadline.scope(async { late() }).await), (Verdict::Failure, Verdict::Failure));
    advance(SECOND - MS).await;
    assert_eq!(deadline.scope(async { late() }).await, Verdict::Failure);
    advance(MS).await;
    assert_eq!((late(), deadline.scope(async { late() }).await), (Verdict::Failure, Verdict::DeadlineExceeded));
    // Any other code is what it is.
    assert_eq!(deadline.scope(async { verdict(200, Some("14")) }).await, Verdict::Failure);
    assert_eq!(deadline.scope(async { verdict(200, Some("0")) }).await, Verdict::Success);
    let none = GrpcClassifier::new().failures(&[]);
    let verdict = deadline.scope(async { none.classify(&head(200, Some("4"))) }).await;
    assert_eq!((none.classify(&head(200, Some("4"))), verdict), (Verdict::Success, Verdict::DeadlineExceeded));
}

/// GR-04: so a circuit breaker makes of it what it is told to: nothing, or a failure.
#[tokio::test(start_paused = true)]
async fn gr_04_on_deadline() {
    for (on_deadline, state) in [(OnDeadline::Ignore, State::Closed), (OnDeadline::Failure, State::Open)] {
        let builder = CircuitBreaker::builder("db").consecutive_failures(1).on_deadline(on_deadline);
        let circuit_breaker = builder.build().unwrap();
        let slow = service_fn(async |_: ()| {
            advance(SECOND).await;
            head(200, Some("4"))
        });
        let call = circuit_breaker.layer().classify(GrpcClassifier::new()).layer(slow).oneshot(());
        Deadline::within(SECOND).scope(call).await.unwrap();
        assert_eq!(circuit_breaker.state(), state, "{on_deadline:?}");
    }
}
