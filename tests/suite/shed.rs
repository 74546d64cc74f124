use seaworthy::retry::{Decision, RetryErrors};
use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Error, RetryIf, StackError, State, Verdict};
use tower::load_shed::error::Overloaded;
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[derive(Debug, thiserror::Error)]
#[error("the client gave up")]
struct Wrapped(#[source] BoxError);

fn shed() -> BoxError {
    Overloaded::new().into()
}

/// HC-17: load shed by tower's load shedder below a circuit breaker says nothing about the backend, however deep it is
/// in the error; another error in the same wrapper does.
#[tokio::test]
async fn is_ignored_by_circuits() {
    let circuit_breaker = CircuitBreaker::builder("below").consecutive_failures(2).build().unwrap();
    // A service that is never ready, under tower's load shedder.
    let full = tower::limit::ConcurrencyLimit::new(service_fn(|()| std::future::pending::<Result<(), BoxError>>()), 0);
    let service = ServiceBuilder::new().layer(circuit_breaker.layer()).load_shed().service(full);
    for _ in 0..10 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert!(error.is::<Overloaded>() && error.is_before_call() && error.rejected().is_none());
    }
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().counts.consecutive_failures), (State::Closed, 0));

    let deep: fn() -> BoxError = || Wrapped(std::io::Error::other(Wrapped(shed())).into()).into();
    for _ in 0..10 {
        circuit_breaker.run(async { Err::<(), _>(deep()) }).await.unwrap_err();
    }
    assert_eq!(circuit_breaker.state(), State::Closed);
    for _ in 0..2 {
        circuit_breaker.run(async { Err::<(), BoxError>(Wrapped("broken".into()).into()) }).await.unwrap_err();
    }
    assert_eq!(circuit_breaker.state(), State::Open);
}

fn full() -> BoxError {
    let bulkhead = Bulkhead::builder("below").limit(1).build().unwrap();
    let _held = bulkhead.try_acquire().unwrap();
    bulkhead.try_acquire().unwrap_err().into()
}

/// HC-17: it is ignored just like a rejection of this crate: before the classifier is asked, and not retried either.
#[tokio::test]
async fn as_our_own_rejections_are() {
    let circuit_breaker = CircuitBreaker::builder("below").consecutive_failures(1).build().unwrap();
    let layer = circuit_breaker.layer().classify(|_: &Result<(), BoxError>| Verdict::Failure);
    for error in [shed, full] {
        let service = ServiceBuilder::new()
            .layer(&layer)
            .service(service_fn(move |()| std::future::ready(Err::<(), BoxError>(error()))));
        service.oneshot(()).await.unwrap_err();
        assert_eq!(circuit_breaker.state(), State::Closed);
        assert_eq!(RetryErrors.retry_if(&Err::<(), BoxError>(error())), Decision::Stop);
    }
    assert_eq!(RetryErrors.retry_if(&Err::<(), BoxError>("broken".into())), Decision::Retry);
    // A typed error reports what it holds, and no more.
    assert!(!Error::Inner(Overloaded::new()).is_before_call());
}
