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
//! | [follows](Task::follow) a stream | goes on, over any number of connections |
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
//! Signals are listened to from [`RunnerBuilder::build`] on, and one that arrives before
//! [`Runner::run`](crate::Runner::run) is not lost. tokio's handlers stay installed for the life of the process: after
//! the run, Ctrl-C no longer ends the process.

mod builder;
mod error;
pub(crate) mod failure;
mod follow;
mod graceful;
pub(crate) mod handle;
mod notes;
mod periodic;
mod restart_policy;
mod restart_waits;
mod run;
mod shared;
mod shutdown_reason;
mod signal;
mod task;
mod task_context;
mod work;

pub use builder::RunnerBuilder;
pub use error::{BuildError, RegisterError};
pub use failure::{Failure, FailureCause};
pub use follow::{CursorGone, EventStream, Follow, FollowError, OnPoison, Streamed};
pub use notes::TaskSnapshot;
pub use periodic::Periodic;
pub use restart_policy::RestartPolicy;
pub use restart_waits::RestartWaits;
pub use signal::Signal;
pub use task::Task;
