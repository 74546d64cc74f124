use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::error::RegisterError;
use super::periodic::Periodic;
use super::restart_policy::RestartPolicy;
use super::shared::{Hook, Shared, TaskSnapshot, When};
use super::task::Task;
use super::work::Work;
use crate::error::BoxError;
use crate::health::Health;
use crate::name::Name;
use crate::shutdown::Shutdown;

/// Registers tasks and hooks with a [`Runner`](super::Runner), also while it runs, from any thread.
///
/// # Clone
/// Costs a reference count; all clones are the same runner's.
#[derive(Clone)]
pub struct RunnerHandle(pub(super) Arc<Shared>);

impl RunnerHandle {
    /// Starts a task at once, on the runtime that the runner was built in. See [`Task::new`].
    ///
    /// # Errors
    /// The name is empty, or the shutdown has begun; then `work` is not called.
    pub fn task<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.start(Task::new(name, work))
    }

    /// Starts a task at once, and again when it fails. See [`Task::supervised`].
    ///
    /// # Errors
    /// A setting cannot be used, or the shutdown has begun; then `work` is not called.
    pub fn supervise<F, T, E>(
        &self,
        name: impl Into<Name>,
        restart: impl Into<RestartPolicy>,
        work: F,
    ) -> Result<(), RegisterError>
    where
        F: FnMut(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.start(Task::supervised(name, restart, work))
    }

    /// Starts a periodic task. See [`Task::every`].
    ///
    /// # Errors
    /// A setting cannot be used, or the shutdown has begun; then `work` is not called.
    pub fn every<F, T, E>(
        &self,
        name: impl Into<Name>,
        every: impl Into<Periodic>,
        work: F,
    ) -> Result<(), RegisterError>
    where
        F: FnMut(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.start(Task::every(name, every, work))
    }

    /// Starts a task with settings of its own.
    ///
    /// # Errors
    /// A setting cannot be used, or the shutdown has begun; then nothing of it is run.
    pub fn start(&self, task: Task) -> Result<(), RegisterError> {
        self.0.start(task)
    }

    /// Has something done as soon as the tasks were told to finish, and while they do: say farewell to a registry, stop
    /// a consumer. The last registered is run first, one after the other.
    ///
    /// It has [`hook_timeout`](super::RunnerBuilder::hook_timeout) for it, and no longer than what is left of the grace;
    /// but each hook is polled once, whatever the time.
    ///
    /// # Errors
    /// The name is empty, or the shutdown has begun; then `work` is not called.
    pub fn on_stop<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_stop_within(name, self.0.hook_timeout, work)
    }

    /// As [`on_stop`](Self::on_stop), with a limit of its own; more than zero.
    ///
    /// # Errors
    /// As [`on_stop`](Self::on_stop), and a limit of zero.
    pub fn on_stop_within<F, T, E>(&self, name: impl Into<Name>, limit: Duration, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.0.hook(When::OnStop, Hook { name: name.into(), limit, work: Work::of(work) })
    }

    /// Has something done when all tasks have ended or were aborted: close a pool, remove a file. The last registered is
    /// run first, one after the other, so that what was made last, with the help of what was made before, goes first.
    ///
    /// It has [`hook_timeout`](super::RunnerBuilder::hook_timeout) for it. It is run whatever else went wrong, also if the
    /// start failed.
    ///
    /// # Errors
    /// The name is empty, or the shutdown has begun; then `work` is not called.
    pub fn cleanup<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.cleanup_within(name, self.0.hook_timeout, work)
    }

    /// As [`cleanup`](Self::cleanup), with a limit of its own; more than zero.
    ///
    /// # Errors
    /// As [`cleanup`](Self::cleanup), and a limit of zero.
    pub fn cleanup_within<F, T, E>(&self, name: impl Into<Name>, limit: Duration, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.0.hook(When::Cleanup, Hook { name: name.into(), limit, work: Work::of(work) })
    }

    /// Begins the shutdown, as a signal would. Again, or while it goes on, it does nothing. Before
    /// [`run`](super::Runner::run) it is kept: the run then ends as soon as it begins.
    pub fn stop(&self) {
        self.0.notify(|news| news.is_stop = true);
    }

    /// Counts as a signal: the first begins the shutdown, the second aborts; within 100 ms they are one. For systems that tell a service to stop by
    /// other means, and for tests.
    pub fn interrupt(&self) {
        self.0.notify(|news| news.interrupts = news.interrupts.saturating_add(1));
    }

    /// What the tasks are told with: requested when the drain delay is over.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.0.trigger.shutdown()
    }

    /// The phase of the service, and its requests in flight.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// The tasks that have not ended, first started first.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskSnapshot> {
        self.0.tasks()
    }
}

impl fmt::Debug for RunnerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tasks().into_iter().map(|task| task.name).collect();
        f.debug_struct("RunnerHandle").field("phase", &self.health().phase()).field("tasks", &names).finish()
    }
}
