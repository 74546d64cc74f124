//! The part to copy: a client stack whose every layer reports to `MetricsObserver`, and still writes logs.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};
use seaworthy::{Backoff, BoxError, Bulkhead, CircuitBreaker, MetricsObserver, RetryPolicy, Timeout, TracingObserver};
use tokio::sync::Semaphore;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

const OPEN: Duration = Duration::from_millis(500);
const ATTEMPT: Duration = Duration::from_millis(400);

/// With buckets for durations: without them the exporter makes summaries, which cannot be aggregated over instances.
pub(crate) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0];
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets)?;
    Ok(builder.build_recorder())
}

/// What the backend does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    Answer,
    Fail,
    Hang,
    /// Answers when it is released.
    Wait,
}

pub(crate) struct Stack {
    service: BoxCloneSyncService<Request, (), BoxError>,
    let_go: Arc<Semaphore>,
}

impl Stack {
    pub(crate) fn new() -> Result<Stack, BoxError> {
        // Logs and metrics.
        let observer = (TracingObserver, MetricsObserver::new());
        let retry = RetryPolicy::builder("backend")
            .attempts(2)
            .backoff(Backoff::constant(Duration::from_millis(5)))
            .observer(observer)
            .build()?;
        let circuit_breaker =
            CircuitBreaker::builder("backend").consecutive_failures(3).open_for(OPEN).observer(observer).build()?;
        let bulkhead = Bulkhead::builder("backend")
            .limit(2)
            .max_wait(Duration::from_millis(5))
            .max_queued(1)
            .observer(observer)
            .build()?;
        let let_go = Arc::new(Semaphore::new(0));
        let backend_waits = Arc::clone(&let_go);
        let service = ServiceBuilder::new()
            .layer(retry.layer())
            .layer(circuit_breaker.layer())
            .layer(bulkhead.layer())
            .layer(Timeout::builder(ATTEMPT).name("backend").observer(observer).build()?.layer())
            .service(service_fn(move |request| backend(request, Arc::clone(&backend_waits))));
        Ok(Stack { service: BoxCloneSyncService::new(service), let_go })
    }

    async fn call(&self, request: Request) -> Result<(), BoxError> {
        self.service.clone().oneshot(request).await
    }

    /// Some good calls, a crowd that does not fit into the bulkhead, failures until the circuit opens, calls that it
    /// rejects, and the probe that closes it. The result of each call does not matter here: it is in the metrics.
    pub(crate) async fn drive(&self) {
        for _ in 0..10 {
            let _ = self.call(Request::Answer).await;
        }
        // Two run, one waits in vain, one is rejected at once.
        let rejected = async {
            let _ = tokio::join!(self.call(Request::Wait), self.call(Request::Wait));
            self.let_go.add_permits(2);
        };
        let _ = tokio::join!(self.call(Request::Wait), self.call(Request::Wait), rejected);
        // An attempt that hangs, its retry, and a failure: the third in a row opens the circuit.
        let _ = self.call(Request::Hang).await;
        let _ = self.call(Request::Fail).await;
        for _ in 0..5 {
            let _ = self.call(Request::Answer).await;
        }
        tokio::time::sleep(OPEN).await;
        let _ = self.call(Request::Answer).await;
    }
}

async fn backend(request: Request, let_go: Arc<Semaphore>) -> Result<(), BoxError> {
    match request {
        Request::Answer => Ok(()),
        Request::Fail => Err("down".into()),
        Request::Hang => std::future::pending().await,
        Request::Wait => {
            let_go.acquire().await?.forget();
            Ok(())
        }
    }
}
