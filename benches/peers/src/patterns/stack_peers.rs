//! The stacks of other crates.

use std::hint::black_box;
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, StateMachine, backoff};
use seaworthy::BoxError;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tower::service_fn;
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

#[derive(Debug)]
enum ByHand {
    Full,
    TimedOut,
    #[allow(dead_code, reason = "the caller would want it")]
    Inner(BoxError),
}

/// What a hand-written client keeps.
struct Parts {
    breaker: Breaker,
    slots: Semaphore,
    client: AtOnce,
    waits: ExponentialBuilder,
}

impl Parts {
    fn new(open: bool) -> Self {
        let policy = consecutive_failures(Rule::FAILURES, backoff::constant(OPEN_FOR));
        let breaker: Breaker = Config::new().failure_policy(policy).build();
        for _ in 0..if open { Rule::FAILURES } else { 0 } {
            let _ = failsafe::CircuitBreaker::call(&breaker, || Err::<(), _>(Failure));
        }
        let waits = ExponentialBuilder::default()
            .with_min_delay(WAITS[0])
            .with_max_delay(WAITS[1])
            .with_max_times(TRIES as usize - 1)
            .with_jitter();
        Self { breaker, slots: Semaphore::new(ROOM as usize), client: AtOnce::new(), waits }
    }

    async fn call(&self, request: u64) -> Result<u64, failsafe::Error<ByHand>> {
        (|| self.attempt(request))
            .retry(self.waits)
            .when(|error| matches!(error, failsafe::Error::Inner(ByHand::TimedOut | ByHand::Inner(_))))
            .await
    }

    async fn attempt(&self, request: u64) -> Result<u64, failsafe::Error<ByHand>> {
        let call = async {
            let _slot = self.slots.try_acquire().map_err(|_| ByHand::Full)?;
            let answer = tokio::time::timeout(LIMIT, self.client.clone().call(request)).await;
            answer.map_err(|_| ByHand::TimedOut)?.map_err(ByHand::Inner)
        };
        self.breaker.call_with(|error: &ByHand| !matches!(error, ByHand::Full), call).await
    }
}

pub(super) fn by_hand(runtime: &'static Runtime, open: bool) -> Box<dyn Bench> {
    let parts = Parts::new(open);
    bench(runtime, move || {
        let answer = finish(parts.call(black_box(REQUEST)));
        if open { matches!(answer, Err(failsafe::Error::Rejected)) } else { passed(&answer) }
    })
}

/// A service, whose future has to own what it uses.
pub(super) fn by_hand_service(runtime: &'static Runtime, open: bool) -> Box<dyn Bench> {
    let parts = Arc::new(Parts::new(open));
    let service = service_fn(move |request| {
        let parts = parts.clone();
        async move { parts.call(request).await }
    });
    if open {
        rejects(runtime, service, |error| matches!(error, failsafe::Error::Rejected))
    } else {
        passes(runtime, service)
    }
}

type TheirError = CircuitBreakerError<BulkheadServiceError<TimeLimiterError<BoxError>>>;

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

    let mut circuit = circuit.layer(bulkhead.layer(timeout.layer(AtOnce::<BoxError>::new())));
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
