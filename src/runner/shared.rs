use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::error::RegisterError;
use super::failure::FailureCause;
use super::handle::RunnerHandle;
use super::notes::{Notes, TaskSnapshot};
use super::task::Task;
use super::task_context::TaskContext;
use super::work::{Outcome, Work, guarded};
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::error::one_line::OneLine;
use crate::health::handle::Health;
use crate::machine::lifecycle::phase::Phase;
use crate::machine::runner::task_set::TaskSet;
use crate::name::Name;
use crate::observe::event::{ErrorRef, RunnerEvent};
use crate::observe::notifier::Notifier;
use crate::rt::panic::{log_guarded, wake_all};
use crate::rt::random::Random;
use crate::rt::sync::Mutex;
use crate::shutdown::{Shutdown, ShutdownTrigger};

/// The state that the runner, its handles and its tasks share.
pub(super) struct Shared {
    inner: Mutex<Inner>,
    pub(super) trigger: ShutdownTrigger,
    pub(super) health: Health,
    pub(super) random: Random,
    pub(super) notifier: Notifier,
    pub(super) hook_timeout: Duration,
    pub(super) runtime: Handle,
}

struct Inner {
    roster: TaskSet<Notes, AbortHandle>,
    steps: Vec<Step>,
    on_stop: Vec<Hook>,
    cleanup: Vec<Hook>,
    news: RunnerNews,
    /// Wakes the task that drives the run.
    driver: Option<Waker>,
}

/// What the run's driver has not seen yet.
#[derive(Default)]
pub(super) struct RunnerNews {
    pub(super) ended: Vec<Ended>,
    pub(super) is_stop: bool,
    pub(super) interrupts: u32,
}

/// A task whose end matters: it failed, or it is essential.
pub(super) struct Ended {
    pub(super) id: u64,
    pub(super) name: Name,
    pub(super) outcome: Outcome,
}

/// A startup step.
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) make: Box<dyn FnOnce(RunnerHandle) -> Work + Send>,
}

/// Work to do during the shutdown.
pub(super) struct Hook {
    pub(super) name: Name,
    pub(super) limit: Duration,
    pub(super) work: Work,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    OnStop,
    Cleanup,
}

impl Shared {
    pub(super) fn new(
        runtime: Handle,
        health: Health,
        notifier: Notifier,
        random: Random,
        hook_timeout: Duration,
    ) -> Shared {
        let (trigger, _) = Shutdown::new();
        let inner = Inner {
            roster: TaskSet::new(),
            steps: Vec::new(),
            on_stop: Vec::new(),
            cleanup: Vec::new(),
            news: RunnerNews::default(),
            driver: None,
        };
        Shared { inner: Mutex::new(inner), trigger, health, random, notifier, hook_timeout, runtime }
    }

    /// Registers the task and starts it. The lock is not held while it is started: a runtime that is shutting down
    /// drops the task on the spot, and that drop may do anything.
    pub(super) fn start(self: &Arc<Shared>, task: Task) -> Result<(), RegisterError> {
        task.check()?;
        let notes = task.notes();
        let id = self.inner.lock().roster.add(notes.clone());
        let Some(id) = id else { return Err(too_late(task.name())) };
        let started = self.notifier.hears_calls().then(|| notes.name.clone());
        if let Some(name) = &started {
            self.notifier.notify(RunnerEvent::TaskStarted { name });
        }
        let work = task.into_work(TaskContext::new(Arc::clone(self), notes));
        let tracked = Tracked { work, shared: Arc::clone(self), id, started, reported: false };
        let handle = self.runtime.spawn(tracked).abort_handle();
        let dismissed = self.inner.lock().roster.attach(id, handle);
        if let Some(handle) = dismissed {
            handle.abort();
        }
        Ok(())
    }

    pub(super) fn hook(&self, when: When, hook: Hook) -> Result<(), RegisterError> {
        Subject::checked("hook", &hook.name)?.time("limit", hook.limit)?;
        let mut inner = self.inner.lock();
        if !inner.roster.is_open() {
            // The hook is dropped after the lock is released.
            drop(inner);
            return Err(too_late(&hook.name));
        }
        match when {
            When::OnStop => inner.on_stop.push(hook),
            When::Cleanup => inner.cleanup.push(hook),
        }
        Ok(())
    }

    pub(super) fn step(&self, step: Step) -> Result<(), ConfigError> {
        Subject::checked("startup step", &step.name)?;
        self.inner.lock().steps.push(step);
        Ok(())
    }

    pub(super) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.inner.lock().steps)
    }

    /// In the order in which they run: last registered first.
    pub(super) fn take_hooks(&self, when: When) -> Vec<Hook> {
        let mut inner = self.inner.lock();
        let mut hooks = std::mem::take(match when {
            When::OnStop => &mut inner.on_stop,
            When::Cleanup => &mut inner.cleanup,
        });
        drop(inner);
        hooks.reverse();
        hooks
    }

    /// Takes the news so far; `waker` is woken when there is more.
    pub(super) fn news(&self, waker: &Waker) -> RunnerNews {
        // Cloned and dropped outside the lock: a waker may be anyone's code.
        let waker = waker.clone();
        let mut inner = self.inner.lock();
        let _former = inner.driver.replace(waker);
        let news = std::mem::take(&mut inner.news);
        drop(inner);
        news
    }

    /// Adds to the news and wakes the driver.
    pub(super) fn notify(&self, what: impl FnOnce(&mut RunnerNews)) {
        let mut inner = self.inner.lock();
        what(&mut inner.news);
        let driver = inner.driver.take();
        drop(inner);
        wake_all(driver);
    }

    fn ended(&self, id: u64, outcome: Outcome) {
        let mut inner = self.inner.lock();
        // A task that was given up on is no longer in the set.
        let Some(notes) = inner.roster.end(id) else { return };
        if outcome.is_err() || notes.essential {
            inner.news.ended.push(Ended { id, name: notes.name, outcome });
        }
        let driver = inner.driver.take();
        drop(inner);
        wake_all(driver);
    }

    pub(super) fn has_tasks(&self) -> bool {
        !self.inner.lock().roster.is_empty()
    }

    pub(super) fn tasks(&self) -> Vec<TaskSnapshot> {
        self.inner.lock().roster.iter().map(Notes::snapshot).collect()
    }

    /// From here on nothing can be registered.
    pub(super) fn close(&self) {
        self.inner.lock().roster.close();
    }

    /// Aborts every task that still runs.
    pub(super) fn dismiss(&self) {
        let handles = self.inner.lock().roster.dismiss();
        handles.iter().for_each(AbortHandle::abort);
    }

    /// Stops waiting for the remaining tasks, and returns which they are.
    pub(super) fn give_up(&self) -> Vec<(u64, Name)> {
        self.inner.lock().roster.give_up().into_iter().map(|(id, notes)| (id, notes.name)).collect()
    }

    /// The run is over, or was dropped. Anything left is not run.
    fn abandon(&self) {
        self.close();
        self.trigger.fire();
        self.dismiss();
        let mut inner = self.inner.lock();
        let left = (
            std::mem::take(&mut inner.steps),
            std::mem::take(&mut inner.on_stop),
            std::mem::take(&mut inner.cleanup),
            inner.driver.take(),
        );
        drop(inner);
        if let Err(cause) = guarded(|| drop(left)) {
            log_guarded(
                || tracing::error!(target: "seaworthy::runner", cause = %OneLine(&cause), "a hook that was not run panicked"),
            );
        }
        if self.health.advance(Phase::Stopped) {
            log_guarded(|| tracing::info!(target: "seaworthy::runner", "stopped"));
        }
    }
}

fn too_late(name: &Name) -> RegisterError {
    RegisterError::ShuttingDown { name: name.clone() }
}

/// Owns the run: however it is dropped, the tasks go with it.
pub(super) struct Owner(pub(super) Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Shared {
    pub(super) fn notify_failed(&self, name: &Name, cause: &FailureCause, again_in: Option<Duration>) {
        let panicked = matches!(cause, FailureCause::Panicked(_));
        let error = match cause {
            FailureCause::Error(error) => ErrorRef::new(error),
            FailureCause::Panicked(message) => ErrorRef::new(message),
            other => ErrorRef::new(other),
        };
        self.notifier.notify(RunnerEvent::TaskFailed { name, error, panicked, again_in });
    }
}

/// A task as the runtime sees it. However it ends, its end is reported once everything it held is gone.
struct Tracked {
    work: Work,
    shared: Arc<Shared>,
    id: u64,
    /// Its name, if its end is to be reported to the observer.
    started: Option<Name>,
    reported: bool,
}

impl Future for Tracked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(outcome) = self.work.poll(cx) else { return Poll::Pending };
        self.reported = true;
        self.shared.report(self.id, self.started.as_ref(), outcome);
        Poll::Ready(())
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if !self.reported {
            let outcome = self.work.discard().and(Err(FailureCause::Aborted));
            self.shared.report(self.id, self.started.as_ref(), outcome);
        }
    }
}

impl Shared {
    fn report(&self, id: u64, started: Option<&Name>, outcome: Outcome) {
        let notes = self.inner.lock().roster.get(id).cloned();
        if let (Some(notes), Err(cause @ (FailureCause::Error(_) | FailureCause::Panicked(_)))) = (notes, &outcome) {
            self.notify_failed(&notes.name, cause, None);
        }
        // Before the runner knows, so that this has been reported by the time the run is over.
        if let Some(name) = started {
            self.notifier.notify(RunnerEvent::TaskEnded { name });
        }
        self.ended(id, outcome);
    }
}
