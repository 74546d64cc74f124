//! How often the clock is read, which is visible only from the inside.

use std::future::Ready;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::CircuitBreakerBuilder;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::BoxError;
use crate::machine::circuit_breaker::notice::State;
use crate::machine::circuit_breaker::settings::OnDrop;
use crate::machine::verdict::Verdict;
use crate::machine::verdict::Verdict::{Failure, Success};
use crate::rt::time::readings;

struct Inner;

impl Service<Verdict> for Inner {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, verdict: Verdict) -> Self::Future {
        std::future::ready(if verdict == Success { Ok(()) } else { Err("down".into()) })
    }
}

/// The clock reads of one call through the layer.
fn call(circuit_breaker: &CircuitBreaker, verdict: Verdict) -> u64 {
    let mut service = circuit_breaker.layer().layer(Inner);
    let mut cx = Context::from_waker(Waker::noop());
    let run = || {
        assert!(service.poll_ready(&mut cx).is_ready());
        let answer = std::pin::pin!(service.call(verdict)).poll(&mut cx);
        assert!(answer.is_ready());
    };
    readings::during(run).1
}

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("clock").open_for(Duration::from_secs(3600))
}

/// CB-08: a rejected call reads the clock at most once, `poll_ready` and `call` together.
#[test]
fn cb_08_one_reading_to_reject() {
    let open = builder().consecutive_failures(1).build().unwrap();
    call(&open, Failure);
    assert_eq!(call(&open, Success), 1);
    assert_eq!(readings::during(|| open.admit().is_err()), (true, 1));
    open.force_open();
    assert_eq!(call(&open, Success), 0);

    let full = builder().consecutive_failures(1).open_for(Duration::from_nanos(1)).probe_timeout(Duration::MAX);
    let full = full.build().unwrap();
    call(&full, Failure);
    let probe = full.admit().unwrap();
    assert_eq!(call(&full, Success), 0, "a probe without a timeout needs no clock");
    drop(probe);
}

/// The usual path reads no clock; a time window and timed calls read it as often as they need.
#[test]
fn readings_of_calls_that_pass() {
    let consecutive = builder().build().unwrap();
    assert_eq!(call(&consecutive, Success), 0);
    assert_eq!(call(&consecutive, Failure), 1);
    assert_eq!(call(&consecutive, Success), 1, "it ends a run, under the lock");
    assert_eq!(call(&consecutive, Success), 0);

    let count = builder().failure_rate(0.5).count_window(4).minimum_calls(2).build().unwrap();
    assert_eq!([Success; 5].map(|verdict| call(&count, verdict)), [0, 0, 0, 1, 0], "the full window is noticed once");
    let time = builder().failure_rate(0.5).time_window(Duration::from_secs(3600)).build().unwrap();
    assert_eq!([Success; 5].map(|verdict| call(&time, verdict)), [1; 5]);
    let slow = builder().slow_call(Duration::from_secs(1)).build().unwrap();
    assert_eq!(call(&slow, Success), 2);
    let dropped = builder().on_drop(OnDrop::FailureAfter(Duration::from_secs(1))).build().unwrap();
    assert_eq!(call(&dropped, Success), 2);
}

/// PR-09: a circuit breaker that has changed since it was looked at is not held open for what it was then.
#[cfg(feature = "prober")]
#[test]
fn held_only_if_it_is_still_the_same() {
    let circuit_breaker = builder().consecutive_failures(1).build().unwrap();
    call(&circuit_breaker, Failure);
    let seen = circuit_breaker.snapshot();
    circuit_breaker.reset();
    assert!(circuit_breaker.hold_open_if_still(seen.generation).is_none());
    assert_eq!(circuit_breaker.snapshot().state, State::Closed);
    assert!(circuit_breaker.hold_open_if_still(circuit_breaker.snapshot().generation).is_some());
}
