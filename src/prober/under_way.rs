//! What a probe may leave behind when it is given up: it counts among the probes that are under way until it is gone.

use std::future::Future;
use std::io;
use std::sync::{Arc, Weak};

use tokio::sync::{oneshot, watch};

use super::resolver::Resolver;
use super::shared::Shared;
use crate::error::BoxError;

tokio::task_local! { static HERE: ProbeContext; }

/// What a prober gives each of its probes to hand.
#[derive(Clone)]
pub(super) struct ProbeContext {
    landing: Arc<FinishGuard>,
    resolver: Resolver,
    run: watch::Receiver<()>,
}

impl ProbeContext {
    pub(super) fn new(shared: &Arc<Shared>, id: u64, run: watch::Receiver<()>) -> ProbeContext {
        let landing = Arc::new(FinishGuard { shared: Arc::downgrade(shared), id });
        ProbeContext { landing, resolver: shared.resolver.clone(), run }
    }

    /// Runs a probe with these to hand.
    pub(super) fn around<F: Future>(self, probe: F) -> impl Future<Output = F::Output> {
        HERE.scope(self, probe)
    }
}

/// A probe that is under way; when the last of it is gone, its target may be probed again.
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

/// Held by what a probe has begun and cannot take back. Nothing outside of a prober.
pub(super) struct LeftRunning {
    _landing: Option<Arc<FinishGuard>>,
    run: Option<watch::Receiver<()>>,
}

impl LeftRunning {
    /// Of the probe that is being polled.
    pub(super) fn of_this_probe() -> LeftRunning {
        let here = HERE.try_with(ProbeContext::clone).ok();
        let (landing, run) = here.map(|here| (here.landing, here.run)).unzip();
        LeftRunning { _landing: landing, run }
    }

    /// Ready when the prober runs no longer.
    pub(super) async fn run_ended(&mut self) {
        match &mut self.run {
            // Nothing is ever sent.
            Some(run) => while run.changed().await.is_ok() {},
            None => std::future::pending().await,
        }
    }
}

/// The resolver of the prober whose probe is being polled; the system's outside of a prober.
pub(super) fn resolver() -> Resolver {
    HERE.try_with(|here| here.resolver.clone()).unwrap_or_default()
}

/// Does what blocks on a thread of its own, which does not keep the process from ending, as those of the runtime would.
/// Dropping the future does not end it; it is counted until it has ended.
pub(super) async fn off_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    let remains = LeftRunning::of_this_probe();
    let (notify, told) = oneshot::channel();
    let work = move || {
        let _remains = remains;
        // Nobody may wait for it any more.
        let _ = notify.send(work());
    };
    spawn(name, work)?;
    told.await.map_err(|_| "panicked on a thread of its own".into())
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(format!("seaworthy-{name}")).spawn(work).map(drop)
}
