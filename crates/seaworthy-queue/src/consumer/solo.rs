use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// More than jobs can run in one process.
const ALL: u32 = 1 << 20;

/// Lets a job that may kill its process run alone: what consumers of one process share, so that no job of another dies
/// with it.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub struct Solo(Arc<Semaphore>);

impl Default for Solo {
    fn default() -> Solo {
        Solo(Arc::new(Semaphore::new(usize::try_from(ALL).unwrap_or(Semaphore::MAX_PERMITS))))
    }
}

impl Solo {
    /// For a job that may run beside others; none while one runs alone, or waits to.
    pub(super) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// Waits until nothing runs. In the order in which they came.
    pub(super) async fn enter_alone(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.0).acquire_many_owned(ALL).await.ok()
    }

    /// Whether a job runs alone, or waits to.
    pub(super) fn is_taken(&self) -> bool {
        self.0.available_permits() == 0
    }
}
