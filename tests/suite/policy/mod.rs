//! Policies: circuit breaker, bulkhead, timeout and retries under one name, from code and from data.

mod afresh;
mod backend;
#[cfg(feature = "http")]
mod body;
#[cfg(all(feature = "http", feature = "serde"))]
mod body_data;
mod bound;
mod builder;
mod class;
#[cfg(feature = "http")]
mod clients;
#[cfg(feature = "serde")]
mod data;
mod deadline;
mod drops;
mod fallback;
#[cfg(all(feature = "grpc", feature = "serde"))]
mod grpc;
mod held;
mod lines;
mod order;
mod permit;
mod same;
mod service;
mod size;
mod total;

use std::future::Future;
use std::time::Duration;

use seaworthy::policy::PolicyBuilder;
use seaworthy::{Backoff, BoxError, Policy, Rejected, StackError, Verdict};
use tower::{Layer, ServiceExt};

use self::backend::{Backend, Do};
use crate::support::{MS, settle};

const OPEN: Duration = Duration::from_millis(200);
const WAIT: Duration = Duration::from_millis(15);
const ATTEMPT: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(10);

/// Opens after three failures, has one permit for which a call may wait, and a timeout.
fn builder() -> PolicyBuilder {
    Policy::builder("compute")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(3).open_for(OPEN))
        .bulkhead(|bulkhead| bulkhead.limit(1).max_wait(WAIT))
        .timeout(ATTEMPT)
}

fn with_retry(attempts: u32) -> PolicyBuilder {
    builder().retry(|retry| retry.attempts(attempts).backoff(Backoff::constant(PAUSE)).no_budget())
}

fn trip(policy: &Policy) {
    settle(policy.circuit_breaker().unwrap(), &[Verdict::Failure; 3]);
}

fn failures(policy: &Policy) -> u32 {
    policy.snapshot().circuit_breaker.unwrap().counts.consecutive_failures
}

/// The two ways of making a call, which must behave the same. The paused clock advances by itself while every task
/// waits.
#[derive(Clone, Copy, Debug)]
enum Way {
    Layer,
    Run,
}

const WAYS: [Way; 2] = [Way::Layer, Way::Run];

impl Way {
    fn ask(
        self,
        policy: &Policy,
        backend: &Backend,
        request: Do,
    ) -> impl Future<Output = Result<&'static str, BoxError>> + use<> {
        let (policy, backend) = (policy.clone(), backend.clone());
        async move {
            match self {
                Way::Layer => policy.layer().layer(backend).oneshot(request).await,
                Way::Run => policy.run(|| backend.ask(request)).await,
            }
        }
    }
}

fn rejected(result: Result<&'static str, BoxError>) -> Option<Rejected> {
    result.err().and_then(|error| error.rejected().cloned())
}

fn full() -> Option<Rejected> {
    Some(Rejected::BulkheadFull { name: "compute".into(), retry_after: None.into() })
}

fn timed_out() -> Option<Rejected> {
    Some(Rejected::TimedOut { after: ATTEMPT.into(), timeout: Some("compute".into()) })
}

fn circuit_open(left: Duration) -> Option<Rejected> {
    Some(Rejected::CircuitOpen { name: "compute".into(), retry_after: Some(left).into() })
}
