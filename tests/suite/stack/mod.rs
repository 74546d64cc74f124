//! The whole stack: what the recommended orders do to a request, and that no other order does harm.

mod backend;
mod client;
mod drops;
mod errors;
mod queues;
#[cfg(feature = "http")]
mod server;
mod size;

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::observe::RetryEvent;
use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, Event, Rejected, RetryBudget, RetryPolicy, StackError, State, Timeout,
    Verdict,
};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt};

use self::backend::{Backend, Do};
use crate::support::{MS, advance, settle};

const ATTEMPT: Duration = Duration::from_millis(20);
const WAIT: Duration = Duration::from_millis(10);
const QUEUE: Duration = Duration::from_millis(15);
const OPEN: Duration = Duration::from_millis(200);
const TRIPS_AFTER: u32 = 3;
const FLOOR: u64 = 10;

type Boxed<R> = BoxCloneService<R, &'static str, BoxError>;

/// The handles of a stack, for tests to look at.
struct Parts {
    circuit_breaker: CircuitBreaker,
    bulkhead: Bulkhead,
    retry: RetryPolicy,
    budget: RetryBudget,
    /// For each attempt.
    timeout: Timeout,
    retried: Arc<AtomicU32>,
}

impl Parts {
    /// One permit, for which a call may wait if `queue` says so, and this many attempts.
    fn new(attempts: u32, queue: Option<Duration>) -> Parts {
        let bulkhead = Bulkhead::builder("slots").limit(1);
        let bulkhead = queue.map_or(bulkhead.clone(), |queue| bulkhead.max_wait(queue));
        // Withdrawn tokens stay withdrawn, and the requests of a test pay for nothing.
        let budget = RetryBudget::builder().ratio(0.001).floor(FLOOR as u32).refill_per_second(0).build().unwrap();
        let retried = Arc::<AtomicU32>::default();
        let counter = Arc::clone(&retried);
        let retry = RetryPolicy::builder("retry").attempts(attempts).backoff(Backoff::constant(WAIT));
        let retry = retry.budget(budget.clone()).observer(move |event: &Event<'_>| {
            counter.fetch_add(u32::from(matches!(event, Event::Retry(RetryEvent::Retried { .. }))), Ordering::Relaxed);
        });
        Parts {
            circuit_breaker: CircuitBreaker::builder("circuit")
                .consecutive_failures(TRIPS_AFTER)
                .open_for(OPEN)
                .build()
                .unwrap(),
            bulkhead: bulkhead.build().unwrap(),
            retry: retry.build().unwrap(),
            budget,
            timeout: Timeout::new(ATTEMPT),
            retried,
        }
    }

    /// The order for clients, without the total timeout.
    fn around<S, R>(&self, inner: S) -> impl Service<R, Response = S::Response, Error = S::Error> + Clone + use<S, R>
    where
        S: Service<R, Error: StackError + Debug + Display> + Clone,
        R: Clone,
    {
        ServiceBuilder::new()
            .layer(self.retry.layer())
            .layer(self.circuit_breaker.layer())
            .layer(self.bulkhead.layer())
            .layer(self.timeout.layer())
            .service(inner)
    }

    fn trip(&self) {
        settle(&self.circuit_breaker, &[Verdict::Failure; TRIPS_AFTER as usize]);
        assert_eq!(self.circuit_breaker.state(), State::Open);
    }

    fn failures(&self) -> u32 {
        self.circuit_breaker.snapshot().counts.consecutive_failures
    }

    /// Nothing is held: no permit, no place in the queue, no token for a retry that did not take place, and no probe.
    async fn assert_whole(&self, story: &dyn Debug) {
        let Parts { circuit_breaker, bulkhead, budget, .. } = self;
        assert_eq!((bulkhead.available(), bulkhead.in_use(), bulkhead.queued()), (bulkhead.limit(), 0, 0), "{story:?}");
        let retried = self.retried.load(Ordering::Relaxed);
        assert_eq!(budget.balance(), FLOOR - u64::from(retried), "{story:?}");
        // Time advances only if it has to, since that would time out a probe that was leaked.
        if circuit_breaker.state() == State::Open {
            advance(OPEN).await;
        }
        let was = circuit_breaker.state();
        let permit = circuit_breaker.admit().unwrap_or_else(|_| panic!("no probe is out: {story:?}, {was:?}"));
        permit.settle(Verdict::Success);
        assert_eq!(circuit_breaker.state(), State::Closed, "{story:?}");
    }
}

/// The rejection that a call ended with, if it did. The paused clock advances by itself while every task waits.
async fn rejection<S>(service: &S, request: Do) -> Option<Rejected>
where
    S: Service<Do, Error: StackError> + Clone,
{
    service.clone().oneshot(request).await.err().and_then(|error| error.rejected().cloned())
}

fn timed_out() -> Option<Rejected> {
    Some(Rejected::TimedOut { after: ATTEMPT.into(), timeout: None })
}

fn full() -> Option<Rejected> {
    Some(Rejected::BulkheadFull { name: "slots".into(), retry_after: None.into() })
}

fn circuit_open(retry_after: Duration) -> Option<Rejected> {
    Some(Rejected::CircuitOpen { name: "circuit".into(), retry_after: Some(retry_after).into() })
}
