//! The methods of [`RunnerHandle`] on the runner itself, which is all that most services need.

use std::future::Future;

use super::{Periodic, RegisterError, RestartPolicy, Runner, RunnerHandle, Task};
use crate::error::BoxError;
use crate::health::Health;
use crate::name::Name;
use crate::shutdown::Shutdown;

impl Runner {
    /// The handle that registers tasks and hooks from elsewhere, and while the runner runs.
    #[must_use]
    pub fn handle(&self) -> RunnerHandle {
        RunnerHandle(self.owner.0.clone())
    }

    /// Starts a task at once. See [`Task::new`].
    ///
    /// # Errors
    /// As [`RunnerHandle::task`].
    pub fn task<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.handle().task(name, work)
    }

    /// Starts a task at once, and restarts it when it fails. See [`Task::supervised`].
    ///
    /// # Errors
    /// As [`RunnerHandle::supervise`].
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
        self.handle().supervise(name, restart, work)
    }

    /// Starts a periodic task. See [`Task::every`].
    ///
    /// # Errors
    /// As [`RunnerHandle::every`].
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
        self.handle().every(name, every, work)
    }

    /// Starts a task that has settings.
    ///
    /// # Errors
    /// As [`RunnerHandle::start`].
    pub fn start(&self, task: Task) -> Result<(), RegisterError> {
        self.handle().start(task)
    }

    /// Runs a hook once the tasks have been told to finish. See [`RunnerHandle::on_stop`].
    ///
    /// # Errors
    /// As [`RunnerHandle::on_stop`].
    pub fn on_stop<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.handle().on_stop(name, work)
    }

    /// Runs a hook once all tasks are gone. See [`RunnerHandle::cleanup`].
    ///
    /// # Errors
    /// As [`RunnerHandle::cleanup`].
    pub fn cleanup<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.handle().cleanup(name, work)
    }

    /// The shutdown that the tasks are given. See [`RunnerHandle::shutdown`].
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.owner.0.trigger.shutdown()
    }

    /// The health of the service: its phase, and its requests in flight.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.owner.0.health
    }
}
