use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::builder::{RunnerBuilder, Times};
use super::error::RegisterError;
use super::failure::RunError;
use super::follow::{EventStream, Follow};
use super::notes::TaskSnapshot;
use super::periodic::Periodic;
use super::restart_policy::RestartPolicy;
use super::run::ServiceRun;
use super::shared::{Hook, Owner, Shared, Step, When};
use super::signal::SignalListener;
use super::task::Task;
use super::work::Work;
use crate::error::BoxError;
use crate::health::handle::Health;
use crate::name::Name;
use crate::shutdown::Shutdown;

/// Starts a service and shuts it down gracefully: see the [module](super).
///
/// Dropping it, or the future of [`run`](Self::run), ends everything at once: tasks are aborted,
/// [`shutdown`](Self::shutdown) is requested, the phase is [`Stopped`](crate::Phase::Stopped), and hooks that have not
/// run are dropped, because there is no one left to await them.
#[must_use = "a runner that is dropped aborts its tasks"]
pub struct Runner {
    pub(super) owner: Owner,
    pub(super) signals: SignalListener,
    pub(super) parents: Vec<Shutdown>,
    pub(super) times: Times,
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
        let make = Box::new(move |handle| Work::of(move || step(handle)));
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
        ServiceRun::new(self).complete().await
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.handle()).finish()
    }
}

/// Registers tasks and hooks with a [`Runner`] from any thread, even while it runs.
///
/// # Clone
/// Costs a reference count; all clones belong to the same runner.
#[derive(Clone)]
pub struct RunnerHandle(pub(super) Arc<Shared>);

/// The methods that a runner shares with its handle, because most services need no handle.
macro_rules! register_with {
    ($runner:ident) => {
        impl $runner {
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

            /// Starts a task at once, and restarts it when it fails. See [`Task::supervised`].
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

            /// Starts a task that follows a stream of events. See [`Task::follow`].
            ///
            /// # Errors
            /// A setting cannot be used, or the shutdown has begun; then nothing is connected.
            pub fn follow<S: EventStream>(
                &self,
                name: impl Into<Name>,
                stream: Follow<S>,
            ) -> Result<(), RegisterError> {
                self.start(Task::follow(name, stream))
            }

            /// Starts a task that has settings.
            ///
            /// # Errors
            /// A setting cannot be used, or the shutdown has begun; then none of it is run.
            pub fn start(&self, task: Task) -> Result<(), RegisterError> {
                self.shared().start(task)
            }

            /// Runs a hook once the tasks have been told to finish, and while they do: to deregister, or to stop a
            /// consumer. Hooks run one at a time, the last registered first.
            ///
            /// A hook has [`hook_timeout`](super::RunnerBuilder::hook_timeout), but no more than what is left of the
            /// grace period; each is polled at least once, whatever the time.
            ///
            /// # Errors
            /// The name is empty, or the shutdown has begun; then `work` is not called.
            pub fn on_stop<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Future<Output = Result<(), E>> + Send + 'static,
                E: Into<BoxError>,
            {
                let shared = self.shared();
                shared.hook(When::OnStop, Hook { name: name.into(), limit: shared.hook_timeout, work: Work::of(work) })
            }

            /// Runs a hook once all tasks have ended or been aborted: to close a pool, or to remove a file. Hooks run
            /// one at a time, the last registered first, so that what was created last, and may use what was created
            /// before, is closed first.
            ///
            /// A hook has [`hook_timeout`](super::RunnerBuilder::hook_timeout). It runs whatever else went wrong, even
            /// if startup failed.
            ///
            /// # Errors
            /// The name is empty, or the shutdown has begun; then `work` is not called.
            pub fn cleanup<F, T, E>(&self, name: impl Into<Name>, work: F) -> Result<(), RegisterError>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Future<Output = Result<(), E>> + Send + 'static,
                E: Into<BoxError>,
            {
                let shared = self.shared();
                shared.hook(When::Cleanup, Hook { name: name.into(), limit: shared.hook_timeout, work: Work::of(work) })
            }

            /// The shutdown that the tasks are given: requested when the drain delay is over.
            #[must_use]
            pub fn shutdown(&self) -> Shutdown {
                self.shared().trigger.shutdown()
            }

            /// The health of the service: its phase, and its requests in flight.
            #[must_use]
            pub fn health(&self) -> &Health {
                &self.shared().health
            }
        }
    };
}

register_with!(Runner);
register_with!(RunnerHandle);

impl Runner {
    fn shared(&self) -> &Arc<Shared> {
        &self.owner.0
    }
}

impl RunnerHandle {
    fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// Like [`on_stop`](Self::on_stop), with a time limit of its own; more than zero.
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

    /// Like [`cleanup`](Self::cleanup), with a time limit of its own; more than zero.
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

    /// Begins the shutdown, as a signal does. Calling it again, or during a shutdown, does nothing. A call before
    /// [`run`](crate::Runner::run) is remembered: the run then ends as soon as it begins.
    pub fn stop(&self) {
        self.0.notify(|news| news.is_stop = true);
    }

    /// Counts as a signal: the first begins the shutdown, the second aborts; within 100 ms they count as one. For
    /// systems that stop a service by other means, and for tests.
    pub fn interrupt(&self) {
        self.0.notify(|news| news.interrupts = news.interrupts.saturating_add(1));
    }

    /// The tasks that have not ended, in the order in which they were started.
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
