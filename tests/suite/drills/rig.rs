use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, Policy, Rejected, RetryPolicy, StackError, State, Timeout,
};
use tokio::sync::watch;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::adapters::backend::{BackendError, Dns};
use crate::adapters::resilient::Resilient;
use crate::support::Told;

pub(super) type Outcome = Result<(), BoxError>;
type Answer = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Answers at once, fails, or holds its calls, as it is set; and counts them.
#[derive(Clone)]
pub(super) struct Backend(Arc<Shared>);

struct Shared {
    calls: AtomicU32,
    fails: AtomicBool,
    held: watch::Sender<bool>,
}

impl Backend {
    fn new() -> Backend {
        Backend(Arc::new(Shared {
            calls: AtomicU32::new(0),
            fails: AtomicBool::new(false),
            held: watch::Sender::new(false),
        }))
    }

    pub(super) fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn fails(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::Relaxed);
    }

    pub(super) fn holds(&self, held: bool) {
        self.0.held.send_replace(held);
    }

    async fn answer(self) -> Outcome {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let mut held = self.0.held.subscribe();
        held.wait_for(|held| !held).await?;
        if self.0.fails.load(Ordering::Relaxed) { Err("down".into()) } else { Ok(()) }
    }
}

/// The adapter's view of the backend.
impl Dns for Backend {
    fn kind(&self) -> &'static str {
        "drill"
    }

    async fn set(&self, _: &str, _: &str) -> Result<(), BackendError> {
        self.remove("").await
    }

    async fn look_up(&self, _: &str) -> Result<String, BackendError> {
        self.remove("").await.map(|()| String::new())
    }

    async fn remove(&self, _: &str) -> Result<(), BackendError> {
        self.clone().answer().await.map_err(|_| BackendError::Down)
    }
}

/// What stands between the caller and the backend; what is not set is left out.
#[derive(Clone, Copy, Default)]
pub(super) struct Settings {
    /// Opens after this many failures, for this long.
    pub(super) circuit_breaker: Option<(u32, Duration)>,
    /// This many permits, and this long a wait for one.
    pub(super) bulkhead: Option<(u32, Duration)>,
    pub(super) timeout: Option<Duration>,
    /// This many attempts, this wait in between, and this deadline for all of them.
    pub(super) retry: Option<(u32, Duration, Option<Duration>)>,
}

/// A backend behind its guards.
pub(super) struct Rig {
    pub(super) kind: &'static str,
    pub(super) backend: Backend,
    pub(super) circuit_breaker: CircuitBreaker,
    pub(super) bulkhead: Bulkhead,
    told: Told,
    call: Box<dyn Fn() -> Answer + Send + Sync>,
}

impl Rig {
    /// The same guards in each of the ways to put them around a call.
    pub(super) fn each(settings: Settings) -> [Rig; 5] {
        [
            Rig::of_layers(settings),
            Rig::of_handles(settings),
            Rig::of_a_policy_layer(settings),
            Rig::of_a_policy(settings),
            Rig::of_an_adapter(settings),
        ]
    }

    fn parts(settings: Settings) -> (Told, CircuitBreaker, Bulkhead, Timeout, RetryPolicy) {
        let told = Told::default();
        // What the drill leaves out is too large to matter.
        let (failures, open) = settings.circuit_breaker.unwrap_or((1_000_000, Duration::MAX));
        let (limit, wait) = settings.bulkhead.unwrap_or((1_000_000, Duration::ZERO));
        let (attempts, pause, deadline) = settings.retry.unwrap_or((1, Duration::ZERO, None));
        let circuit_breaker = told.by(CircuitBreaker::builder("drill").consecutive_failures(failures).open_for(open));
        let mut bulkhead = Bulkhead::builder("drill").limit(limit);
        if !wait.is_zero() {
            bulkhead = bulkhead.max_wait(wait);
        }
        let mut retry = RetryPolicy::builder("drill").attempts(attempts).backoff(Backoff::constant(pause)).no_budget();
        if let Some(deadline) = deadline {
            retry = retry.deadline(deadline);
        }
        let timeout = Timeout::new(settings.timeout.unwrap_or(Duration::MAX));
        (told, circuit_breaker.build().unwrap(), bulkhead.build().unwrap(), timeout, retry.build().unwrap())
    }

    fn of_layers(settings: Settings) -> Rig {
        let (told, circuit_breaker, bulkhead, timeout, retry) = Rig::parts(settings);
        let backend = Backend::new();
        let inner = backend.clone();
        let service = ServiceBuilder::new()
            .layer(retry.layer())
            .layer(circuit_breaker.layer())
            .layer(bulkhead.layer())
            .layer(timeout.layer())
            .service(service_fn(move |()| inner.clone().answer()));
        let call = Box::new(move || -> Answer { Box::pin(service.clone().oneshot(())) });
        Rig { kind: "layers", backend, circuit_breaker, bulkhead, told, call }
    }

    fn of_handles(settings: Settings) -> Rig {
        let (told, circuit_breaker, bulkhead, timeout, retry) = Rig::parts(settings);
        let backend = Backend::new();
        let parts = Arc::new((retry, circuit_breaker.clone(), bulkhead.clone(), timeout, backend.clone()));
        let call = Box::new(move || -> Answer {
            let parts = Arc::clone(&parts);
            Box::pin(async move {
                let (retry, circuit_breaker, bulkhead, timeout, backend) = &*parts;
                retry.run(|| circuit_breaker.run(bulkhead.run(timeout.run(backend.clone().answer())))).await
            })
        });
        Rig { kind: "handles", backend, circuit_breaker, bulkhead, told, call }
    }

    fn of_a_policy_layer(settings: Settings) -> Rig {
        let (policy, told, circuit_breaker, bulkhead) = Rig::policy(settings);
        let backend = Backend::new();
        let inner = backend.clone();
        let service = ServiceBuilder::new().layer(policy.layer()).service(service_fn(move |()| inner.clone().answer()));
        let call = Box::new(move || -> Answer { Box::pin(service.clone().oneshot(())) });
        Rig { kind: "the layer of a policy", backend, circuit_breaker, bulkhead, told, call }
    }

    fn of_a_policy(settings: Settings) -> Rig {
        let (policy, told, circuit_breaker, bulkhead) = Rig::policy(settings);
        let backend = Backend::new();
        let inner = backend.clone();
        let call = Box::new(move || -> Answer {
            let (policy, inner) = (policy.clone(), inner.clone());
            Box::pin(async move { policy.run(|| inner.clone().answer()).await })
        });
        Rig { kind: "a policy", backend, circuit_breaker, bulkhead, told, call }
    }

    /// The resilient adapter of example 07, around this backend as its name server.
    fn of_an_adapter(settings: Settings) -> Rig {
        let (policy, told, circuit_breaker, bulkhead) = Rig::policy(settings);
        let backend = Backend::new();
        let adapter = Arc::new(Resilient::new(backend.clone(), policy, &[]).unwrap());
        let call = Box::new(move || -> Answer {
            let adapter = Arc::clone(&adapter);
            Box::pin(async move { adapter.remove("name").await.map_err(BoxError::from) })
        });
        Rig { kind: "an adapter", backend, circuit_breaker, bulkhead, told, call }
    }

    fn policy(settings: Settings) -> (Policy, Told, CircuitBreaker, Bulkhead) {
        let (told, circuit_breaker, bulkhead, timeout, retry) = Rig::parts(settings);
        let policy = Policy::builder("drill")
            .shared_retry(retry)
            .shared_circuit_breaker(circuit_breaker.clone())
            .shared_bulkhead(bulkhead.clone())
            .timeout(timeout.after());
        (policy.build().unwrap(), told, circuit_breaker, bulkhead)
    }

    pub(super) async fn call(&self) -> Outcome {
        (self.call)().await
    }

    /// Starts a call in a task, and lets it run as far as it gets.
    pub(super) async fn start(&self) -> tokio::task::JoinHandle<Outcome> {
        let task = tokio::spawn((self.call)());
        tokio::task::yield_now().await;
        task
    }

    pub(super) fn changes(&self) -> Vec<(State, State)> {
        self.told.changes()
    }
}

pub(super) fn is_open(outcome: &Outcome) -> bool {
    let rejected = outcome.as_ref().err().and_then(|error| error.rejected());
    matches!(rejected, Some(Rejected::CircuitOpen { .. }))
}

pub(super) fn is_full(outcome: &Outcome) -> bool {
    let rejected = outcome.as_ref().err().and_then(|error| error.rejected());
    matches!(rejected, Some(Rejected::BulkheadFull { .. }))
}

/// The backend's own error, whether direct or in the adapter's form.
pub(super) fn is_down(outcome: &Outcome) -> bool {
    let own = |error: &BoxError| matches!(error.to_string().as_str(), "down" | "the backend is down");
    outcome.as_ref().is_err_and(|error| error.rejected().is_none() && own(error))
}
