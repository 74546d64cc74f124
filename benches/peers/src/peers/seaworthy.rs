//! `seaworthy` itself: as a layer in three ways, and around a future.

use std::any::Any;
use std::marker::PhantomData;
use std::time::Duration;

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService};
use seaworthy::{BoxError, CircuitBreaker, Error, StackError};
use tower_layer::Layer;

use crate::{Answer, Ask, Failure, Inner, Outcome, Peer, Rule, drive};

const HALF_OPEN_AFTER: Option<Duration> = Some(Duration::from_millis(50));

fn builder(rule: Rule, open_for: Duration) -> CircuitBreakerBuilder {
    let builder = CircuitBreaker::builder("bench").open_for(open_for).probe_timeout(Duration::MAX);
    match rule {
        Rule::Consecutive => builder.consecutive_failures(Rule::FAILURES),
        Rule::CountWindow => builder.count_window(Rule::CALLS).failure_rate(Rule::RATE),
        Rule::TimeWindow => builder.time_window(Rule::SPAN).failure_rate(Rule::RATE).minimum_calls(Rule::MINIMUM),
    }
}

fn circuit(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    builder.build().expect("the settings are valid")
}

impl From<Failure> for Error<Failure> {
    fn from(failure: Failure) -> Self {
        Self::Inner(failure)
    }
}

/// The layer around a service, and a way to build it.
pub(super) struct Layered<E, W> {
    service: CircuitBreakerService<Inner<E>>,
    way: PhantomData<fn() -> W>,
}

pub(super) trait Way: 'static {
    const NAME: &'static str;
    const NOTE: &'static str;
    const LEAKED: bool = false;
}

/// Boxed errors, and a reference-counted circuit breaker.
pub(super) struct Boxed;
/// Typed errors.
pub(super) struct Typed;
/// Typed errors, and a circuit breaker that is never freed.
pub(super) struct Static;

impl Way for Boxed {
    const NAME: &'static str = "seaworthy";
    const NOTE: &'static str = "a tower service; errors are `BoxError`, so a rejection is boxed.";
}

impl Way for Typed {
    const NAME: &'static str = "seaworthy, typed";
    const NOTE: &'static str = "the same with `Error<E>`: a rejection is not boxed.";
}

impl Way for Static {
    const NAME: &'static str = "seaworthy, static";
    const NOTE: &'static str = "the same with `Error<E>` and a leaked circuit breaker: no reference count.";
    const LEAKED: bool = true;
}

impl<E, W: Way> Layered<E, W> {
    fn around(circuit: CircuitBreaker) -> Self {
        let circuit = if W::LEAKED { circuit.leak() } else { circuit };
        Self { service: circuit.layer().layer(Inner::new()), way: PhantomData }
    }
}

impl<E, W: Way> Peer for Layered<E, W>
where
    E: StackError + From<Failure> + 'static,
{
    const NAME: &'static str = W::NAME;
    const NOTE: &'static str = W::NOTE;
    const HALF_OPEN_AFTER: Option<Duration> = HALF_OPEN_AFTER;

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        Some(Self::around(circuit(builder(rule, open_for))))
    }

    fn share(&self) -> Self {
        Self { service: self.service.clone(), way: PhantomData }
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match drive::call(&mut self.service, ask) {
            Ok(()) => Outcome::Done,
            Err(error) if error.rejected().is_some() => Outcome::Rejected,
            Err(_) => Outcome::Failed,
        }
    }

    fn take_probes(&mut self) -> Box<dyn Any> {
        drive::hang(&mut self.service)
    }

    /// Circuit breakers made from one template share its settings.
    fn many(count: usize) -> Vec<Self> {
        let template = builder(Rule::Consecutive, Duration::from_secs(30));
        let mut breakers = Vec::with_capacity(count);
        breakers.extend((0..count).map(|_| Self::around(circuit(template.clone()))));
        breakers
    }
}

pub(super) type Service = Layered<BoxError, Boxed>;
pub(super) type TypedService = Layered<Error<Failure>, Typed>;
pub(super) type StaticService = Layered<Error<Failure>, Static>;

/// The circuit breaker without a layer, around a future that borrows it.
pub(super) struct Run(CircuitBreaker);

impl Peer for Run {
    const NAME: &'static str = "seaworthy, run";
    const NOTE: &'static str =
        "`CircuitBreaker::run`, which borrows the breaker: to be compared with the function wrappers.";
    const HALF_OPEN_AFTER: Option<Duration> = HALF_OPEN_AFTER;

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        Some(Self(circuit(builder(rule, open_for))))
    }

    fn share(&self) -> Self {
        Self(self.0.clone())
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match drive::finish(self.0.run(Answer::new(ask))) {
            Ok(()) => Outcome::Done,
            Err(Error::Inner(Failure)) => Outcome::Failed,
            Err(Error::Rejected(_)) => Outcome::Rejected,
        }
    }

    fn take_probes(&mut self) -> Box<dyn Any> {
        Box::new(self.0.admit().expect("the open time is over"))
    }

    /// Circuit breakers made from one template share its settings.
    fn many(count: usize) -> Vec<Self> {
        let template = builder(Rule::Consecutive, Duration::from_secs(30));
        let mut breakers = Vec::with_capacity(count);
        breakers.extend((0..count).map(|_| Self(circuit(template.clone()))));
        breakers
    }
}
