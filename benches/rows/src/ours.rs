//! Ours, a function for each row. It compiles with older checkouts, too, so that new code can be compared with old.

use std::hint::black_box;
use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{
    Backoff, Bulkhead, CircuitBreaker, Error, Health, Phase, Policy, RetryBudget, RetryPolicy, Timeout, Verdict,
};
use tower::{Layer, Service, ServiceBuilder};

use crate::kit::{
    Answer, Flaky, HOUR, Inner, Large, Late, REQUEST, StackError, enter_busy_runtime, finish, passes, passes_late,
    rejects,
};

/// The limit of one attempt; never reached.
const LIMIT: Duration = Duration::from_secs(30);

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("bench").open_for(HOUR)
}

fn circuit_breaker() -> CircuitBreaker {
    builder().consecutive_failures(5).build().expect("the settings are valid")
}

fn window() -> CircuitBreaker {
    builder().failure_rate(0.5).count_window(100).minimum_calls(20).build().expect("the settings are valid")
}

fn opened() -> CircuitBreaker {
    let circuit_breaker = circuit_breaker();
    (0..5).for_each(|_| circuit_breaker.admit().expect("not open yet").settle(Verdict::Failure));
    circuit_breaker
}

fn bulkhead() -> Bulkhead {
    Bulkhead::builder("bench").build().expect("the settings are valid")
}

pub fn closed() -> impl FnMut() -> bool {
    passes(circuit_breaker().layer().layer(Inner::<u64>::new()))
}

pub fn closed_leaked() -> impl FnMut() -> bool {
    passes(circuit_breaker().leak().layer().layer(Inner::<u64>::new()))
}

pub fn closed_large() -> impl FnMut() -> bool {
    passes(circuit_breaker().layer().layer(Inner::<Large>::new()))
}

pub fn window_closed() -> impl FnMut() -> bool {
    passes(window().layer().layer(Inner::<u64>::new()))
}

pub fn window_closed_leaked() -> impl FnMut() -> bool {
    passes(window().leak().layer().layer(Inner::<u64>::new()))
}

pub fn time_window() -> impl FnMut() -> bool {
    let builder = builder().failure_rate(0.5).time_window(HOUR).minimum_calls(20);
    passes(builder.build().expect("the settings are valid").layer().layer(Inner::<u64>::new()))
}

pub fn open() -> impl FnMut() -> bool {
    rejects(opened().layer().layer(Inner::<u64>::new()))
}

pub fn admit_open() -> impl FnMut() -> bool {
    let circuit_breaker = opened();
    move || black_box(circuit_breaker.admit()).is_err()
}

pub fn run_closed() -> impl FnMut() -> bool {
    run(circuit_breaker(), |answer| matches!(answer, Ok(REQUEST)))
}

pub fn run_open() -> impl FnMut() -> bool {
    run(opened(), |answer| matches!(answer, Err(Error::Rejected(_))))
}

fn run(circuit_breaker: CircuitBreaker, is_right: impl Fn(&Result<u64, StackError>) -> bool) -> impl FnMut() -> bool {
    let mut inner = Inner::<u64>::new();
    move || is_right(&finish::<1, _>(circuit_breaker.run(inner.call(black_box(REQUEST)))))
}

pub fn room() -> impl FnMut() -> bool {
    passes(bulkhead().layer().layer(Inner::<u64>::new()))
}

pub fn room_leaked() -> impl FnMut() -> bool {
    passes(bulkhead().leak().layer().layer(Inner::<u64>::new()))
}

pub fn room_large() -> impl FnMut() -> bool {
    passes(bulkhead().layer().layer(Inner::<Large>::new()))
}

pub fn full() -> impl FnMut() -> bool {
    let bulkhead = Bulkhead::builder("bench").limit(1).build().expect("the settings are valid");
    std::mem::forget(bulkhead.try_acquire().expect("it is empty"));
    rejects(bulkhead.layer().layer(Inner::<u64>::new()))
}

fn readiness<T: Answer>() -> impl FnMut() -> bool {
    let health = Health::new();
    health.advance(Phase::Serving);
    passes(health.readiness_layer().layer(Inner::<T>::new()))
}

pub fn ready() -> impl FnMut() -> bool {
    readiness::<u64>()
}

pub fn ready_large() -> impl FnMut() -> bool {
    readiness::<Large>()
}

fn retry(tries: u64, budget: bool) -> impl FnMut() -> bool {
    let builder = RetryPolicy::builder("bench").backoff(Backoff::constant(Duration::ZERO));
    let plenty = || RetryBudget::builder().ratio(1.0).floor(u32::MAX).refill_per_second(u32::MAX).build();
    let builder = if budget { builder.budget(plenty().expect("it is valid")) } else { builder.no_budget() };
    passes(builder.build().expect("the settings are valid").layer().layer(Flaky::new(tries)))
}

pub fn first_try() -> impl FnMut() -> bool {
    retry(1, true)
}

pub fn first_try_free() -> impl FnMut() -> bool {
    retry(1, false)
}

pub fn third_try() -> impl FnMut() -> bool {
    retry(3, true)
}

pub fn third_try_free() -> impl FnMut() -> bool {
    retry(3, false)
}

pub fn armed() -> impl FnMut() -> bool {
    enter_busy_runtime();
    passes_late(Timeout::new(LIMIT).layer().layer(Late::<StackError>::new()))
}

fn layers(
    circuit_breaker: &CircuitBreaker,
    budget: bool,
) -> impl Service<u64, Response = u64, Error = StackError> + use<> {
    let retry = RetryPolicy::builder("bench");
    let retry = if budget { retry } else { retry.no_budget() };
    ServiceBuilder::new()
        .layer(retry.build().expect("the settings are valid").layer())
        .layer(circuit_breaker.layer())
        .layer(bulkhead().layer())
        .layer(Timeout::new(LIMIT).layer())
        .service(Inner::<u64>::new())
}

fn policy(circuit_breaker: CircuitBreaker, budget: bool) -> Policy {
    let policy = Policy::builder("bench").shared_circuit_breaker(circuit_breaker).bulkhead(|bulkhead| bulkhead);
    let policy = policy.timeout(LIMIT).retry(|retry| if budget { retry } else { retry.no_budget() });
    policy.build().expect("the settings are valid")
}

pub fn stack() -> impl FnMut() -> bool {
    passes(layers(&circuit_breaker(), false))
}

pub fn stack_budget() -> impl FnMut() -> bool {
    passes(layers(&circuit_breaker(), true))
}

pub fn stack_open() -> impl FnMut() -> bool {
    rejects(layers(&opened(), false))
}

pub fn stack_open_budget() -> impl FnMut() -> bool {
    rejects(layers(&opened(), true))
}

pub fn policy_closed() -> impl FnMut() -> bool {
    passes(policy(circuit_breaker(), false).layer().layer(Inner::<u64>::new()))
}

pub fn policy_budget() -> impl FnMut() -> bool {
    passes(policy(circuit_breaker(), true).layer().layer(Inner::<u64>::new()))
}

pub fn policy_leaked() -> impl FnMut() -> bool {
    passes(policy(circuit_breaker(), false).leak().layer().layer(Inner::<u64>::new()))
}

pub fn policy_large() -> impl FnMut() -> bool {
    passes(policy(circuit_breaker(), false).layer().layer(Inner::<Large>::new()))
}

pub fn policy_single() -> impl FnMut() -> bool {
    passes(policy(circuit_breaker(), false).layer().without_retry().layer(Inner::<u64>::new()))
}

pub fn policy_open() -> impl FnMut() -> bool {
    rejects(policy(opened(), false).layer().layer(Inner::<u64>::new()))
}

pub fn policy_open_budget() -> impl FnMut() -> bool {
    rejects(policy(opened(), true).layer().layer(Inner::<u64>::new()))
}
