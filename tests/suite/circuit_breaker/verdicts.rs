//! What the result of a call counts as.

use std::time::Duration;

use seaworthy::Verdict::{self, Failure, Ignored, Success, Throttled};
use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{BoxError, CircuitBreaker, Classify, Error, ErrorClassifier, Name, Rejected, StackError, State};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("verdicts").consecutive_failures(1)
}

fn rejections() -> [(Rejected, bool); 5] {
    let name = Name::from("below");
    [
        (Rejected::CircuitOpen { name: name.clone(), retry_after: None.into() }, false),
        (Rejected::BulkheadFull { name: name.clone(), retry_after: None.into() }, false),
        (Rejected::NotReady { reason: name.clone(), retry_after: None.into() }, false),
        (Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None }, true),
        (Rejected::Withdrawn { name }, false),
    ]
}

/// CB-13, CO-01: Rejections from below are ignored, whatever the classifier would say, and so is a call that was
/// withdrawn; `TimedOut` is a failure.
#[tokio::test(start_paused = true)]
async fn cb_13_rejections_from_below() {
    for (rejected, counts) in rejections() {
        for wrapped in [false, true] {
            let circuit_breaker = builder().build().unwrap();
            let inner = rejected.clone();
            let result: Result<(), BoxError> = circuit_breaker
                .run(async move {
                    let lifted: Error<std::io::Error> = inner.clone().into();
                    Err(if wrapped { lifted.into() } else { inner.into() })
                })
                .await;
            // It is passed on unchanged, and found in whatever it was wrapped in.
            assert_eq!(result.expect_err("passed on").rejected(), Some(&rejected));
            let state = if counts { State::Open } else { State::Closed };
            assert_eq!(circuit_breaker.state(), state, "{rejected:?}, wrapped: {wrapped}");
        }
        let circuit_breaker = builder().build().unwrap();
        let everything_fails = |_: &Result<(), Error<()>>| Failure;
        let inner = rejected.clone();
        let _ = circuit_breaker.classify(everything_fails).run(async { Err(inner.into()) }).await;
        assert_eq!(circuit_breaker.state() == State::Open, counts, "{rejected:?}, with a strict classifier");
    }
}

/// CB-13: A nested circuit breaker that is open does not open the one around it.
#[tokio::test(start_paused = true)]
async fn cb_13_a_nested_circuit() {
    let (outer, inner) = (builder().build().unwrap(), builder().name("inner").build().unwrap());
    inner.force_open();
    for _ in 0..10 {
        let result: Result<(), BoxError> = outer.run(inner.run(async { Ok(()) })).await;
        let rejected = result.expect_err("open").rejected().cloned();
        assert_eq!(rejected, Some(Rejected::CircuitOpen { name: "inner".into(), retry_after: None.into() }));
    }
    assert_eq!(outer.state(), State::Closed);
    assert_eq!(outer.snapshot().counts.consecutive_failures, 0);
}

/// CB-27: A classifier sees the result and gives the verdict; a closure is one; an `Ok` can be a failure.
#[tokio::test(start_paused = true)]
async fn cb_27_classifiers() {
    let by_value = |result: &Result<Verdict, BoxError>| match result {
        Ok(verdict) => *verdict,
        Err(_) => Ignored,
    };
    for (verdict, state) in
        [(Success, State::Closed), (Failure, State::Open), (Throttled, State::Closed), (Ignored, State::Closed)]
    {
        let circuit_breaker = builder().build().unwrap();
        circuit_breaker.classify(by_value).run(async { Ok(verdict) }).await.expect("the response is passed on");
        assert_eq!(circuit_breaker.state(), state, "{verdict:?}");

        let circuit_breaker = builder().build().unwrap();
        let inner = tower::service_fn(move |()| async move { Ok::<_, BoxError>(verdict) });
        let service = tower::Layer::layer(&circuit_breaker.layer().classify(by_value), inner);
        assert_eq!(tower::ServiceExt::oneshot(service, ()).await.unwrap(), verdict);
        assert_eq!(circuit_breaker.state(), state, "{verdict:?}");
    }
    let circuit_breaker = builder().build().unwrap();
    let _ = circuit_breaker.classify(by_value).run(async { Err("ignored".into()) }).await;
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-27: Without one, every error is a failure and every response a success.
#[test]
fn cb_27_the_default() {
    assert_eq!(ErrorClassifier.classify(&Ok::<_, ()>(500)), Success);
    assert_eq!(ErrorClassifier.classify(&Err::<(), _>("down")), Failure);
}

/// CB-30: 5xx is Failure, 429 is Throttled, everything else is Success.
#[cfg(feature = "http")]
#[test]
fn cb_30_http_statuses() {
    let classify = |status: u16| {
        let response = http::Response::builder().status(status).body(()).unwrap();
        seaworthy::http::HttpClassifier.classify(&Ok::<_, BoxError>(response))
    };
    for status in 100..=999 {
        let verdict = match status {
            500..=599 => Failure,
            429 => Throttled,
            _ => Success,
        };
        assert_eq!(classify(status), verdict, "{status}");
    }
    let error: Result<http::Response<()>, BoxError> = Err("reset".into());
    assert_eq!(seaworthy::http::HttpClassifier.classify(&error), Failure);
}
