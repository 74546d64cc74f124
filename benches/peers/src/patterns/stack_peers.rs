//! The stack of the others.

use std::hint::black_box;

use backon::{ExponentialBuilder, Retryable};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, StateMachine, backoff};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tower_layer::Layer;
use tower_resilience_bulkhead::{BulkheadLayer, BulkheadServiceError};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_retry::{ExponentialBackoff, RetryLayer};
use tower_resilience_timelimiter::{TimeLimiterError, TimeLimiterLayer};
use tower_service::Service;

use super::call::{REQUEST, bench, finish, passed, passes, rejects};
use super::inner::{AtOnce, FAIL};
use super::stack::{LIMIT, OPEN_FOR, ROOM, TRIES, WAITS};
use crate::bench::Bench;
use crate::{Failure, Rule};

type Breaker = StateMachine<ConsecutiveFailures<backoff::Constant>, ()>;

enum ByHand {
    Full,
    TimedOut,
    Inner(Failure),
}

/// One attempt.
async fn attempt(breaker: &Breaker, slots: &Semaphore, mut client: AtOnce) -> Result<u64, failsafe::Error<ByHand>> {
    let call = async {
        let _slot = slots.try_acquire().map_err(|_| ByHand::Full)?;
        let answer = tokio::time::timeout(LIMIT, client.call(black_box(REQUEST))).await;
        answer.map_err(|_| ByHand::TimedOut)?.map_err(ByHand::Inner)
    };
    breaker.call_with(|error: &ByHand| !matches!(error, ByHand::Full), call).await
}

pub(super) fn by_hand(runtime: &'static Runtime, open: bool) -> Box<dyn Bench> {
    let policy = consecutive_failures(Rule::FAILURES, backoff::constant(OPEN_FOR));
    let breaker: Breaker = Config::new().failure_policy(policy).build();
    for _ in 0..if open { Rule::FAILURES } else { 0 } {
        let _ = failsafe::CircuitBreaker::call(&breaker, || Err::<(), _>(Failure));
    }
    let slots = Semaphore::new(ROOM as usize);
    let client = AtOnce::new();
    let waits = ExponentialBuilder::default()
        .with_min_delay(WAITS[0])
        .with_max_delay(WAITS[1])
        .with_max_times(TRIES as usize - 1)
        .with_jitter();
    bench(runtime, move || {
        let tries = (|| attempt(&breaker, &slots, client.clone()))
            .retry(waits)
            .when(|error| matches!(error, failsafe::Error::Inner(ByHand::TimedOut | ByHand::Inner(_))));
        let answer = finish(tries);
        if open { matches!(answer, Err(failsafe::Error::Rejected)) } else { passed(&answer) }
    })
}

type TheirError = CircuitBreakerError<BulkheadServiceError<TimeLimiterError<Failure>>>;

pub(super) fn tower_resilience(runtime: &'static Runtime, open: bool) -> Box<dyn Bench> {
    let _entered = runtime.enter();
    let timeout = TimeLimiterLayer::builder().timeout_duration(LIMIT).cancel_running_future(true).build();
    let bulkhead = BulkheadLayer::builder().max_concurrent_calls(ROOM as usize).reject_when_full();
    let bulkhead = bulkhead.build().expect("the settings are valid");
    let circuit = CircuitBreakerLayer::builder()
        .consecutive_failures(Rule::FAILURES as usize)
        .wait_duration_in_open(OPEN_FOR)
        .permitted_calls_in_half_open(1);
    let circuit = circuit.build().expect("the settings are valid");
    let retry = RetryLayer::<u64, u64, TheirError>::builder()
        .max_attempts(TRIES as usize)
        .backoff(ExponentialBackoff::new(WAITS[0]).max_interval(WAITS[1]))
        .retry_on(|error| !matches!(error, CircuitBreakerError::OpenCircuit))
        .build();

    let mut circuit = circuit.layer(bulkhead.layer(timeout.layer(AtOnce::<Failure>::new())));
    for _ in 0..if open { Rule::FAILURES } else { 0 } {
        assert!(super::call::ready::<_, u64>(&mut circuit).is_ok());
        let _ = finish(circuit.call(FAIL));
    }
    let service = retry.layer(circuit);
    if open {
        rejects(runtime, service, |error: &TheirError| matches!(error, CircuitBreakerError::OpenCircuit))
    } else {
        passes(runtime, service)
    }
}
