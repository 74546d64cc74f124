//! What a cancelled probe may leave running: it counts among the probes that are under way until it is gone.

use std::future::Future;
use std::io;
use std::sync::{Arc, Weak};

use tokio::sync::{oneshot, watch};

use super::resolver::Resolver;
use super::shared::Shared;
#[cfg(feature = "grpc")]
use crate::context::deadline;
use crate::error::BoxError;
use crate::machine::timestamp::Timestamp;

tokio::task_local! { static HERE: ProbeContext; }

/// What a prober passes to each of its probes.
#[derive(Clone)]
pub(super) struct ProbeContext {
    landing: Arc<FinishGuard>,
    resolver: Resolver,
    run: watch::Receiver<()>,
    /// When the probe is given up.
    #[cfg_attr(not(feature = "grpc"), allow(dead_code, reason = "only a gRPC probe says it to its target"))]
    until: Timestamp,
}

impl ProbeContext {
    pub(super) fn new(shared: &Arc<Shared>, id: u64, run: watch::Receiver<()>, until: Timestamp) -> ProbeContext {
        let landing = Arc::new(FinishGuard { shared: Arc::downgrade(shared), id });
        ProbeContext { landing, resolver: shared.resolver.clone(), run, until }
    }

    /// Runs a probe with this context.
    pub(super) fn around<F: Future>(self, probe: F) -> impl Future<Output = F::Output> {
        HERE.scope(self, probe)
    }
}

/// A probe that is under way; once the last clone is dropped, its target may be probed again.
struct FinishGuard {
    shared: Weak<Shared>,
    id: u64,
}

impl Drop for FinishGuard {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.land(self.id);
        }
    }
}

/// Held by whatever a probe has started and cannot cancel. Empty outside a prober.
pub(super) struct LeftRunning {
    _landing: Option<Arc<FinishGuard>>,
    run: Option<watch::Receiver<()>>,
}

impl LeftRunning {
    /// For the probe that is being polled.
    pub(super) fn of_this_probe() -> LeftRunning {
        let here = HERE.try_with(ProbeContext::clone).ok();
        let (landing, run) = here.map(|here| (here.landing, here.run)).unzip();
        LeftRunning { _landing: landing, run }
    }

    /// Ready when the prober no longer runs.
    pub(super) async fn run_ended(&mut self) {
        match &mut self.run {
            // Nothing is ever sent.
            Some(run) => while run.changed().await.is_ok() {},
            None => std::future::pending().await,
        }
    }
}

/// The resolver of the prober whose probe is being polled; outside a prober, the system's.
pub(super) fn resolver() -> Resolver {
    HERE.try_with(|here| here.resolver.clone()).unwrap_or_default()
}

/// When nobody waits any more for the probe that is being polled: at the end of the time that the prober gives it, or
/// at the current deadline.
#[cfg(feature = "grpc")]
pub(super) fn given_up_at() -> Timestamp {
    HERE.try_with(|here| here.until).unwrap_or(Timestamp::NEVER).min(deadline())
}

/// Runs blocking work on a thread of its own, which does not keep the process from ending, as a thread of the runtime
/// would. Dropping the future does not end the work; it counts until it has ended.
pub(super) async fn off_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    let remains = LeftRunning::of_this_probe();
    let (notify, told) = oneshot::channel();
    let work = move || {
        let _remains = remains;
        // The receiver may be gone.
        let _ = notify.send(work());
    };
    spawn(name, work)?;
    told.await.map_err(|_| "panicked on a thread of its own".into())
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(format!("seaworthy-{name}")).spawn(work).map(drop)
}
