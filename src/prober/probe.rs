use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::BoxError;

/// Finds out whether a target is well.
///
/// It must not block its thread: a probe that does counts as a failure when its time is up, but goes on blocking.
///
/// Any closure that returns a future of a result is a probe:
///
/// ```
/// use seaworthy::prober::{ProbePolicy, Prober};
///
/// let prober = Prober::builder().build()?;
/// let target = prober.add("disk", ProbePolicy::default(), || async {
///     if free_bytes() > 1_000_000 { Ok(()) } else { Err("the disk is full") }
/// })?;
/// # fn free_bytes() -> u64 { 2_000_000 }
/// # assert_eq!(target.name(), "disk");
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Cancellation
/// The future is dropped when the policy's timeout is over, when the target is removed, restarted or given another
/// policy, and when the prober stops.
pub trait Probe: Send + Sync + 'static {
    /// Probes once. An error means that the target is not well, and says why; its text, with those of its sources, is
    /// kept.
    fn probe(&self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<F, R, E> Probe for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    async fn probe(&self) -> Result<(), BoxError> {
        // The closure is called inside the future, so that its panic is the probe's.
        self().await.map_err(Into::into)
    }
}

pub(super) type ProbeFuture = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A probe of any type.
pub(super) trait AnyProbe: Send + Sync {
    fn start(self: Arc<Self>) -> ProbeFuture;
}

impl<P: Probe> AnyProbe for P {
    fn start(self: Arc<P>) -> ProbeFuture {
        Box::pin(async move { self.probe().await })
    }
}
