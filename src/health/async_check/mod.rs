mod attempt;
mod builder;
mod run;
mod shared;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

pub use builder::AsyncCheckBuilder;
pub use run::CheckRun;
use shared::{CheckSettings, Shared};

use super::check::{Check, Status};
use crate::error::BoxError;

/// A check that takes time, such as a query to a database.
///
/// It runs for the health endpoints, for [`Health::run_checks`](crate::Health::run_checks) and for callers of
/// [`run`](AsyncCheck::run), and keeps its last result for the readiness layer, which does not wait. Runs are
/// coalesced: while one is in progress, all callers wait for that one. It goes on as long as any of them waits, not
/// only the first.
///
/// Each run has a time limit, 500 ms unless set otherwise. A run that takes longer has failed and is dropped, whatever
/// it is doing; only a future that blocks its thread cannot be stopped: put blocking work on a thread of its own. A
/// panic is a failure.
///
/// For the readiness layer it is up until its first run has ended. After a failed run it is down until one succeeds,
/// but no longer than [`max_age`](AsyncCheckBuilder::max_age): if it is no longer run, it must not keep the service out
/// of rotation for ever.
///
/// ```
/// use seaworthy::Health;
/// use seaworthy::AsyncCheck;
/// # async fn ping() -> std::io::Result<()> { Ok(()) }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Health::new();
/// health.require("database", AsyncCheck::new(|| async { ping().await }))?;
/// assert!(health.run_checks().await.checks[0].status.is_up());
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs a reference count; all clones are the same check.
#[derive(Clone)]
pub struct AsyncCheck(Arc<Shared>);

/// A panic of the check is caught, and leaves no run half-changed.
impl UnwindSafe for AsyncCheck {}
impl RefUnwindSafe for AsyncCheck {}

impl AsyncCheck {
    /// Each run calls `check` and awaits the future; the future's error is the reason why the check is down.
    pub fn new<F, Fut, E>(check: F) -> AsyncCheck
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        AsyncCheck(Arc::new(Shared::new(attempt::maker(check), CheckSettings::default())))
    }

    /// Starts a builder for a check like that of [`new`](AsyncCheck::new).
    pub fn builder<F, Fut, E>(check: F) -> AsyncCheckBuilder
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        AsyncCheckBuilder::new(attempt::maker(check))
    }

    /// Runs the check, or joins the run in progress, or returns the kept result.
    ///
    /// # Cancellation
    /// Nothing happens before the first poll. Dropping it leaves the run to the others that wait for it; if there are
    /// none, the run is dropped and leaves no result.
    ///
    /// # Panics
    /// Never panics itself: outside a runtime with time enabled, a check that has to wait is down.
    pub fn run(&self) -> CheckRun {
        CheckRun::new(Arc::clone(&self.0))
    }
}

/// What the last run said.
impl Check for AsyncCheck {
    #[inline]
    fn status(&self) -> Status {
        self.0.last()
    }

    fn as_async(&self) -> Option<&AsyncCheck> {
        Some(self)
    }
}

impl fmt::Debug for AsyncCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCheck").field("last", &self.status()).finish_non_exhaustive()
    }
}
