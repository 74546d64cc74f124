//! Starts a service, waits until it is to end, and ends it in order.
//!
//! ```text
//!   Starting ──▶ startup steps, one after the other; tasks run from when they are registered
//!   Serving  ──▶ until a signal, a parent, `stop()`, a task that fails, or an essential task that ends
//!   Draining ──▶ readiness says no; nothing can be registered any more
//!                drain delay
//!                the tasks are told to finish                                   ┐
//!                `on_stop` hooks, last registered first                         │ grace_period
//!                tasks and requests in flight are awaited                       ┘
//!                stragglers are aborted, and named
//!                `cleanup` hooks, last registered first, each within its limit
//!   Stopped  ──▶ `run` returns Ok, or all that went wrong
//! ```
//!
//! | a task | the run |
//! |---|---|
//! | ends well | goes on; ends if the task is [essential](Task::essential) |
//! | fails or panics | ends, and names it first |
//! | fails or panics, and is [supervised](Task::supervised) | goes on; the task is run again after a wait |
//! | fails or panics, and is [periodic](Task::every) | goes on; the task is run again when it is due |
//! | has not ended when the grace is over | aborts it, and names it |
//!
//! A second signal, more than 100 ms after the first, aborts: what is left of the drain delay and of the grace is
//! skipped, hooks that are still to come are polled once, and tasks are aborted. Cleanups are run all the same, each
//! within its limit; a third signal skips what is left of those, too. The result says that it was forced.
//!
//! ```
//! use seaworthy::{BoxError, Runner};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let runner = Runner::builder().grace_period(Duration::from_secs(20)).drain_delay(Duration::from_millis(10)).build()?;
//!
//! runner.startup("migrate", |_runner| async { Ok::<(), BoxError>(()) })?;
//! runner.task("http", |shutdown| async move {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//!     axum::serve(listener, axum::Router::new()).with_graceful_shutdown(shutdown.requested_owned()).await
//! })?;
//! runner.every("sweep", Duration::from_secs(60), |_shutdown| async { Ok::<(), BoxError>(()) })?;
//! runner.cleanup("pool", || async { Ok::<(), BoxError>(()) })?;
//!
//! # runner.handle().interrupt();
//! // Until SIGINT or SIGTERM.
//! runner.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What cannot be helped
//! A task that blocks its thread cannot be aborted. On a runtime with several threads it is given a tenth of a second,
//! named, and left behind; the runtime waits for it when it is dropped, so use `Runtime::shutdown_timeout` there. On a
//! runtime with one thread it blocks the run, too; and so does, on any, a hook that blocks, because hooks are driven by
//! `run` itself.
//!
//! # Signals
//! They are listened to from [`RunnerBuilder::build`] on, and what comes in before [`Runner::run`] is not lost. tokio's
//! handlers stay installed for as long as the process lives: after the run, Ctrl-C does not end the process any more.

mod builder;
mod error;
mod failure;
mod forward;
mod graceful;
mod handle;
mod periodic;
mod restart_policy;
mod run;
mod shared;
mod signal;
mod task;
mod work;

use std::fmt;
use std::future::Future;

pub use builder::RunnerBuilder;
pub use error::{BuildError, RegisterError};
pub use failure::{Failure, FailureCause, RunError};
pub use handle::RunnerHandle;
pub use periodic::Periodic;
pub use restart_policy::RestartPolicy;
pub use shared::TaskSnapshot;
pub use signal::Signal;
pub use task::Task;

use self::shared::{Owner, Step};
use crate::error::BoxError;
use crate::name::Name;
use crate::shutdown::Shutdown;

/// Starts a service and ends it in order: see the [module](self).
///
/// Dropping it, or dropping the future of [`run`](Self::run), ends all at once: the tasks are aborted, what observes
/// [`shutdown`](Self::shutdown) is told, the phase is [`Stopped`](crate::Phase::Stopped), and hooks that have not been
/// run are dropped, because there is nobody left to await them.
#[must_use = "a runner that is dropped aborts its tasks"]
pub struct Runner {
    owner: Owner,
    signals: signal::SignalListener,
    parents: Vec<Shutdown>,
    times: builder::Times,
}

/// Why a run came to its end.
enum ShutdownReason {
    Signal(Signal),
    Interrupt,
    Stop,
    Parent,
    Startup,
    Task(Name),
}

impl fmt::Display for ShutdownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShutdownReason::Signal(signal) => signal.fmt(f),
            ShutdownReason::Interrupt => f.write_str("interrupt"),
            ShutdownReason::Stop => f.write_str("stop"),
            ShutdownReason::Parent => f.write_str("parent"),
            ShutdownReason::Startup => f.write_str("startup failed"),
            ShutdownReason::Task(name) => write!(f, "task `{name}` ended"),
        }
    }
}

impl Runner {
    /// Sets up a runner.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::new()
    }

    /// Adds a step to the start. The steps are run by [`run`](Self::run), one after the other in this order, and the
    /// service is ready when all of them are done. A step may take as long as it likes, and can register tasks and
    /// hooks with the handle that it is given.
    ///
    /// If one fails or panics, or the run is told to end, the rest are not begun, a step that is under way is dropped,
    /// and the service ends as it always does, but for the drain delay: the cleanups that were registered so far are
    /// run.
    ///
    /// # Errors
    /// The name is empty.
    pub fn startup<F, T, E>(&self, name: impl Into<Name>, step: F) -> Result<(), RegisterError>
    where
        F: FnOnce(RunnerHandle) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let make = Box::new(move |handle| work::Work::of(move || step(handle)));
        Ok(self.owner.0.step(Step { name: name.into(), make })?)
    }

    /// Runs the service until a signal, a parent, [`stop`](RunnerHandle::stop), a task that fails, or an essential task
    /// that ends, and then ends it in order. It takes no longer than the drain delay, the grace and the limits of the
    /// cleanups together, unless a thread is blocked.
    ///
    /// # Errors
    /// All that went wrong, from the first to the last. A service that was told to end and did so is fine.
    ///
    /// # Cancellation
    /// Dropping it aborts the tasks and runs no more hooks.
    pub async fn run(self) -> Result<(), RunError> {
        run::ServiceRun::new(self).complete().await
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.handle()).finish()
    }
}
