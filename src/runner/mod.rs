//! Starts a service, waits until it should stop, and shuts it down gracefully.
//!
//! ```text
//!   Starting ──▶ startup steps, one after another; tasks run from when they are registered
//!   Serving  ──▶ until a signal, a parent, `stop()`, a task that fails, or an essential task that ends
//!   Draining ──▶ readiness says no; nothing can be registered any more
//!                drain delay
//!                the tasks are told to finish                                   ┐
//!                `on_stop` hooks, last registered first                         │ grace_period
//!                tasks and requests in flight are awaited                       ┘
//!                stragglers are aborted, and named
//!                `cleanup` hooks, last registered first, each within its limit
//!   Stopped  ──▶ `run` returns Ok, or everything that went wrong
//! ```
//!
//! | a task | the run |
//! |---|---|
//! | succeeds | goes on; ends if the task is [essential](Task::essential) |
//! | fails or panics | ends, and names it first |
//! | fails or panics, and is [supervised](Task::supervised) | goes on; the task is restarted after a wait |
//! | fails or panics, and is [periodic](Task::every) | goes on; the task is run again when it is due |
//! | is still running when the grace period is over | aborts it, and names it |
//!
//! A second signal, more than 100 ms after the first, aborts: the rest of the drain delay and of the grace period is
//! skipped, the remaining hooks are polled once, and tasks are aborted. Cleanups run all the same, each within its
//! limit; a third signal skips the rest of those, too. The result says that the shutdown was forced.
//!
//! ```
//! use seaworthy::{BoxError, Runner};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let runner = Runner::builder()
//!     .grace_period(Duration::from_secs(20))
//!     .drain_delay(Duration::from_millis(10))
//!     .build()?;
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
//! # Tasks that block
//! A task that blocks its thread cannot be aborted. On a multi-threaded runtime it is given a tenth of a second, named,
//! and left behind; the runtime waits for it when it is dropped, so use `Runtime::shutdown_timeout` there. On a
//! single-threaded runtime it blocks the run, too; and on any runtime so does a hook that blocks, because `run` itself
//! drives the hooks.
//!
//! # Signals
//! Signals are listened to from [`RunnerBuilder::build`] on, and one that arrives before [`Runner::run`] is not lost.
//! tokio's handlers stay installed for the life of the process: after the run, Ctrl-C no longer ends the process.

mod builder;
mod error;
mod failure;
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

/// Starts a service and shuts it down gracefully: see the [module](self).
///
/// Dropping it, or the future of [`run`](Self::run), ends everything at once: tasks are aborted,
/// [`shutdown`](Self::shutdown) is requested, the phase is [`Stopped`](crate::Phase::Stopped), and hooks that have not
/// run are dropped, because there is no one left to await them.
#[must_use = "a runner that is dropped aborts its tasks"]
pub struct Runner {
    owner: Owner,
    signals: signal::SignalListener,
    parents: Vec<Shutdown>,
    times: builder::Times,
}

/// Why the shutdown began.
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
    /// Starts a builder.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::new()
    }

    /// The handle that registers tasks and hooks from elsewhere, and while the runner runs.
    #[must_use]
    pub fn handle(&self) -> RunnerHandle {
        RunnerHandle(self.owner.0.clone())
    }

    /// Adds a startup step. [`run`](Self::run) runs the steps one at a time, in this order, and the service is ready
    /// when all of them are done. A step may take any amount of time, and can register tasks and hooks with the handle
    /// it is given.
    ///
    /// If one fails or panics, or the run is told to end, the remaining steps are not run, a step in progress is
    /// dropped, and the service shuts down as usual, but without the drain delay: the cleanups registered so far are
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
    /// that ends, and then shuts it down. The shutdown takes no longer than the drain delay, the grace period and the
    /// limits of the cleanups together, unless a thread is blocked.
    ///
    /// # Errors
    /// Everything that went wrong, from first to last. A service that was told to end and did so returns no error.
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
