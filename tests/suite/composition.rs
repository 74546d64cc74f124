//! Layers together: what each order does, and one error type through the whole stack.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{
    BoxError, CircuitBreaker, Error, OnDrop, Rejected, RetryAfter, StackError, State, TimeoutLayer, WrapErrorLayer,
};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{MS, advance};

const LIMIT: Duration = Duration::from_millis(20);
const OPEN: Duration = Duration::from_millis(200);
const TRIPS_AFTER: u32 = 3;

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("backend").consecutive_failures(TRIPS_AFTER).open_for(OPEN)
}

fn circuit_breaker() -> CircuitBreaker {
    builder().build().unwrap()
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::new(LIMIT)
}

fn timed_out() -> Rejected {
    Rejected::TimedOut { after: LIMIT.into(), timeout: None }
}

fn circuit_open(retry_after: Duration) -> Rejected {
    Rejected::CircuitOpen { name: "backend".into(), retry_after: Some(retry_after).into() }
}

/// What a request asks the backend to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Do {
    Answer,
    Fail,
    Hang,
}

/// A backend with any error type, which counts its calls.
#[derive(Clone, Debug, Default)]
struct Backend(Arc<AtomicU32>);

impl Backend {
    fn service<E: 'static>(&self, error: fn() -> E) -> BoxCloneService<Do, &'static str, E> {
        let calls = Arc::clone(&self.0);
        BoxCloneService::new(service_fn(move |request| {
            calls.fetch_add(1, Ordering::Relaxed);
            Self::answer(request, error)
        }))
    }

    async fn answer<E>(request: Do, error: fn() -> E) -> Result<&'static str, E> {
        match request {
            Do::Answer => Ok("fine"),
            Do::Fail => Err(error()),
            Do::Hang => pending().await,
        }
    }

    fn boxed(&self) -> BoxCloneService<Do, &'static str, BoxError> {
        self.service(|| BoxError::from("broken"))
    }

    fn calls(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The rejection that a call ended with, if it did. The paused clock advances by itself while every task waits.
async fn rejection<S>(service: &S, request: Do) -> Option<Rejected>
where
    S: Service<Do, Error: StackError> + Clone,
{
    service.clone().oneshot(request).await.err().and_then(|error| error.rejected().cloned())
}

/// CB-13, TO-01: a timeout below the circuit breaker opens it: every call that times out is counted. Once the circuit
/// is open, the backend is left alone and no call waits.
#[tokio::test(start_paused = true)]
async fn a_timeout_below_the_circuit_trips_it() {
    let (circuit_breaker, backend) = (circuit_breaker(), Backend::default());
    let service = ServiceBuilder::new().layer(circuit_breaker.layer()).layer(timeout()).service(backend.boxed());
    for run in 1..=TRIPS_AFTER {
        assert_eq!(circuit_breaker.state(), State::Closed);
        assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, run - 1);
        assert_eq!(rejection(&service, Do::Hang).await, Some(timed_out()));
    }
    assert_eq!(circuit_breaker.state(), State::Open);
    let mut rejected = spawn(service.clone().oneshot(Do::Hang));
    let error = assert_ready!(rejected.poll()).unwrap_err();
    assert_eq!((error.rejected(), backend.calls()), (Some(&circuit_open(OPEN)), TRIPS_AFTER));

    // A probe that hangs reopens it for the full time, and one that is answered closes it.
    advance(OPEN).await;
    assert_eq!(rejection(&service, Do::Hang).await, Some(timed_out()));
    assert_eq!(rejection(&service, Do::Answer).await, Some(circuit_open(OPEN)));
    advance(OPEN).await;
    assert_eq!(rejection(&service, Do::Answer).await, None);
    assert_eq!((circuit_breaker.state(), backend.calls()), (State::Closed, TRIPS_AFTER + 2));
}

/// CB-15, TO-01: a timeout above the circuit breaker hides a hanging backend from it: dropped calls count as nothing,
/// and the backend is called again and again.
#[tokio::test(start_paused = true)]
async fn a_timeout_above_the_circuit_does_not_trip_it() {
    let (circuit_breaker, backend) = (circuit_breaker(), Backend::default());
    let service = ServiceBuilder::new().layer(timeout()).layer(circuit_breaker.layer()).service(backend.boxed());
    for _ in 0..4 * TRIPS_AFTER {
        assert_eq!(rejection(&service, Do::Hang).await, Some(timed_out()));
    }
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().counts.calls), (State::Closed, 0));
    assert_eq!(backend.calls(), 4 * TRIPS_AFTER);

    // Errors still count, and the rejection passes the timeout unchanged.
    for _ in 0..TRIPS_AFTER {
        assert_eq!(rejection(&service, Do::Fail).await, None);
    }
    assert_eq!(rejection(&service, Do::Hang).await, Some(circuit_open(OPEN)));
    assert_eq!(backend.calls(), 5 * TRIPS_AFTER);
}

/// CB-15, TO-01: `on_drop` changes that: a call that ran longer than it says before the timeout above dropped it is a
/// failure. One that a client abandoned earlier is not, nor one that ran exactly that long.
#[tokio::test(start_paused = true)]
async fn on_drop_counts_the_victims_of_a_timeout_above() {
    let table = [
        (OnDrop::Ignore, false),
        (OnDrop::Failure, true),
        (OnDrop::FailureAfter(LIMIT - MS), true),
        (OnDrop::FailureAfter(LIMIT), false),
    ];
    for (on_drop, trips) in table {
        let (circuit_breaker, backend) = (builder().on_drop(on_drop).build().unwrap(), Backend::default());
        let service = ServiceBuilder::new().layer(timeout()).layer(circuit_breaker.layer()).service(backend.boxed());
        for _ in 0..TRIPS_AFTER {
            assert_eq!(rejection(&service, Do::Hang).await, Some(timed_out()));
        }
        assert_eq!(circuit_breaker.state() == State::Open, trips, "{on_drop:?}");
        assert_eq!(rejection(&service, Do::Hang).await == Some(circuit_open(OPEN)), trips, "{on_drop:?}");
    }

    let circuit_breaker = builder().on_drop(OnDrop::FailureAfter(LIMIT / 2)).build().unwrap();
    let service =
        ServiceBuilder::new().layer(timeout()).layer(circuit_breaker.layer()).service(Backend::default().boxed());
    for _ in 0..TRIPS_AFTER {
        let mut impatient = spawn(service.clone().oneshot(Do::Hang));
        assert_pending!(impatient.poll());
        advance(LIMIT / 2).await;
        assert_pending!(impatient.poll());
        drop(impatient);
    }
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().counts.consecutive_failures), (State::Closed, 0));
}

/// CB-15, TO-01: a probe that a timeout above drops releases its permit at that moment, so the next call can be the
/// probe.
#[tokio::test(start_paused = true)]
async fn a_probe_that_a_timeout_above_gives_up_returns_its_slot() {
    let (circuit_breaker, backend) = (circuit_breaker(), Backend::default());
    let service = ServiceBuilder::new().layer(timeout()).layer(circuit_breaker.layer()).service(backend.boxed());
    for _ in 0..TRIPS_AFTER {
        assert_eq!(rejection(&service, Do::Fail).await, None);
    }
    advance(OPEN).await;
    let mut probe = spawn(service.clone().oneshot(Do::Hang));
    assert_pending!(probe.poll());
    assert_eq!(circuit_breaker.state(), State::HalfOpen);
    // The only permit is taken.
    assert!(matches!(
        rejection(&service, Do::Answer).await,
        Some(Rejected::CircuitOpen { retry_after: RetryAfter::UNKNOWN, .. })
    ));
    advance(LIMIT).await;
    assert!(assert_ready!(probe.poll()).is_err());
    // The response future of the probe is still there.
    assert_eq!(rejection(&service, Do::Answer).await, None);
    assert_eq!(circuit_breaker.state(), State::Closed);
    drop(probe);
}

/// CB-15, TO-01: dropped after any number of polls, as a probe, with the timeout on either side: nothing is leaked, and
/// the next call is the probe.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_await_of_both() {
    for polls in 0..4 {
        for timer_ends in [false, true] {
            for below in [true, false] {
                let (circuit_breaker, backend) = (circuit_breaker(), Backend::default());
                let stack = ServiceBuilder::new();
                let service = match below {
                    true => {
                        stack.layer(circuit_breaker.layer()).layer(timeout()).service(backend.boxed()).boxed_clone()
                    }
                    false => {
                        stack.layer(timeout()).layer(circuit_breaker.layer()).service(backend.boxed()).boxed_clone()
                    }
                };
                for _ in 0..TRIPS_AFTER {
                    assert_eq!(rejection(&service, Do::Fail).await, None);
                }
                advance(OPEN).await;
                let mut probe = spawn(service.clone().oneshot(Do::Hang));
                for _ in 0..polls {
                    assert_pending!(probe.poll());
                }
                advance(if timer_ends { LIMIT } else { Duration::ZERO }).await;
                drop(probe);
                assert_eq!(rejection(&service, Do::Answer).await, None, "{polls} {timer_ends} {below}");
                assert_eq!(circuit_breaker.state(), State::Closed);
            }
        }
    }
}

/// TO-01: a total limit above and one for each attempt below: the circuit breaker counts what the lower one cuts off.
#[tokio::test(start_paused = true)]
async fn a_total_limit_above_and_one_below() {
    let (circuit_breaker, backend) = (circuit_breaker(), Backend::default());
    let total = TimeoutLayer::new(10 * LIMIT);
    let service =
        ServiceBuilder::new().layer(total).layer(circuit_breaker.layer()).layer(timeout()).service(backend.boxed());
    for _ in 0..TRIPS_AFTER {
        assert_eq!(rejection(&service, Do::Hang).await, Some(timed_out()));
    }
    assert_eq!(rejection(&service, Do::Hang).await, Some(circuit_open(OPEN)));
}

/// CB-25, TO-01: the same without tower, in both orders.
#[tokio::test(start_paused = true)]
async fn handles_compose_as_layers_do() {
    let (below, above, limit) = (circuit_breaker(), circuit_breaker(), seaworthy::Timeout::new(LIMIT));
    let hang = || Backend::answer(Do::Hang, || BoxError::from("broken"));
    for _ in 0..TRIPS_AFTER {
        let error = below.run(limit.run(hang())).await.unwrap_err();
        assert_eq!(error.rejected(), Some(&timed_out()));
        let error = limit.run(above.run(hang())).await.unwrap_err();
        assert_eq!(error.rejected(), Some(&timed_out()));
    }
    assert_eq!((below.state(), above.state()), (State::Open, State::Closed));
    let error = below.run(limit.run(hang())).await.unwrap_err();
    assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })));
}

/// A user's own error type.
#[derive(Debug, PartialEq, thiserror::Error)]
enum ShopError {
    #[error("sold out")]
    SoldOut,
    #[error("{0}")]
    Rejected(#[from] Rejected),
}

impl StackError for ShopError {
    fn rejected(&self) -> Option<&Rejected> {
        match self {
            ShopError::Rejected(rejected) => Some(rejected),
            ShopError::SoldOut => None,
        }
    }
}

/// Drives a stack through all possible outcomes: a response, inner's own error, and both rejections.
async fn all_outcomes<S>(service: S) -> [Result<&'static str, S::Error>; 4]
where
    S: Service<Do, Response = &'static str> + Clone,
{
    let call = async |request| service.clone().oneshot(request).await;
    let first = [call(Do::Answer).await, call(Do::Fail).await, call(Do::Hang).await];
    // The third failure in a row.
    assert!(call(Do::Hang).await.is_err());
    let [answer, failure, timed_out] = first;
    [answer, failure, timed_out, call(Do::Answer).await]
}

/// One error type through the whole stack: a user's own enum goes in and comes out.
#[tokio::test(start_paused = true)]
async fn an_enum_of_ones_own_goes_through() {
    let service = ServiceBuilder::new()
        .layer(circuit_breaker().layer())
        .layer(timeout())
        .service(Backend::default().service(|| ShopError::SoldOut));
    let outcomes: [Result<_, ShopError>; 4] = all_outcomes(service).await;
    assert_eq!(
        outcomes,
        [
            Ok("fine"),
            Err(ShopError::SoldOut),
            Err(ShopError::Rejected(timed_out())),
            Err(ShopError::Rejected(circuit_open(OPEN)))
        ]
    );
}

/// One error type through the whole stack: a foreign one is wrapped once, at the bottom.
#[tokio::test(start_paused = true)]
async fn a_foreign_error_is_lifted_once() {
    let service = ServiceBuilder::new()
        .layer(circuit_breaker().layer())
        .layer(timeout())
        .layer(WrapErrorLayer::new())
        .service(Backend::default().service(|| "7½".parse::<u8>().unwrap_err()));
    let outcomes: [Result<_, Error<std::num::ParseIntError>>; 4] = all_outcomes(service).await;
    let [answer, failure, timed_out_, open] = outcomes;
    assert_eq!(answer, Ok("fine"));
    assert!(matches!(failure, Err(Error::Inner(_))));
    assert_eq!(timed_out_, Err(Error::Rejected(timed_out())));
    assert_eq!(open, Err(Error::Rejected(circuit_open(OPEN))));
}

/// One error type through the whole stack: a boxed error needs nothing, and rejections are found in it, even behind the
/// errors of third-party layers.
#[tokio::test(start_paused = true)]
async fn a_boxed_error_needs_nothing() {
    #[derive(Debug, thiserror::Error)]
    #[error("the shop is closed")]
    struct Wrapped(#[source] BoxError);

    let backend = Backend::default();
    let plain =
        ServiceBuilder::new().layer(circuit_breaker().layer()).layer(timeout()).service(backend.boxed()).boxed_clone();
    let wrapped = ServiceBuilder::new()
        .layer(circuit_breaker().layer())
        .map_err(|error| BoxError::from(Wrapped(error)))
        .load_shed()
        .buffer(8)
        .layer(timeout())
        .service(backend.boxed())
        .boxed_clone();
    for (service, failure) in [(plain, "broken"), (wrapped, "the shop is closed")] {
        let [answer, failed, timed_out_, open] = all_outcomes(service).await;
        assert_eq!(answer.unwrap(), "fine");
        let failed = failed.unwrap_err();
        assert_eq!((failed.to_string(), failed.rejected()), (failure.into(), None));
        assert_eq!(timed_out_.unwrap_err().rejected(), Some(&timed_out()));
        assert_eq!(open.unwrap_err().rejected(), Some(&circuit_open(OPEN)));
    }
}

/// CB-13: the rejection of a circuit breaker below, behind a timeout, is no failure for the one above: that opens for
/// what it saw itself.
#[tokio::test(start_paused = true)]
async fn a_circuit_below_a_timeout_does_not_trip_the_one_above() {
    let (above, below, backend) =
        (CircuitBreaker::builder("above").build().unwrap(), circuit_breaker(), Backend::default());
    let service =
        ServiceBuilder::new().layer(above.layer()).layer(timeout()).layer(below.layer()).service(backend.boxed());
    below.force_open();
    for _ in 0..20 {
        assert!(matches!(rejection(&service, Do::Answer).await, Some(Rejected::CircuitOpen { .. })));
    }
    assert_eq!((above.state(), above.snapshot().counts.calls, backend.calls()), (State::Closed, 0, 0));
}

/// Over HTTP: respond, circuit breaker, timeout, wrap, from top to bottom, around a service that cannot fail. Above
/// them nothing can fail either: a call that timed out is 504, and an open circuit is 503.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn a_server_answers_for_all_of_them() {
    use axum::body::Body;
    use axum::routing::get;
    use http::header::RETRY_AFTER;
    use http::{Request, StatusCode};
    use seaworthy::http::{BodyTimeoutLayer, RespondLayer};

    let backend = Backend::default();
    let hang = {
        let backend = backend.clone();
        move || {
            let call = backend.boxed().oneshot(Do::Hang);
            async { call.await.map_err(|error| error.to_string()) }
        }
    };
    let app = axum::Router::new().route("/hang", get(hang)).route("/fine", get(async || "fine")).layer(
        ServiceBuilder::new()
            .layer(BodyTimeoutLayer::builder().idle(LIMIT).build().unwrap())
            .layer(RespondLayer::new())
            .layer(circuit_breaker().layer())
            .layer(timeout())
            .layer(WrapErrorLayer::new()),
    );
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response: Result<_, std::convert::Infallible> = app.clone().oneshot(request).await;
        response.unwrap()
    };
    assert_eq!(get("/fine").await.status(), StatusCode::OK);
    for _ in 0..TRIPS_AFTER {
        assert_eq!(get("/hang").await.status(), StatusCode::GATEWAY_TIMEOUT);
    }
    let response = get("/fine").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(axum::body::to_bytes(response.into_body(), 99).await.unwrap(), r#"{"error":"circuit open"}"#);
    assert_eq!(backend.calls(), TRIPS_AFTER);
}
