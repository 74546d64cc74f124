use std::fmt;
use std::future::Future;

use super::failure::FailureCause;
use super::follow::{EventStream, Follow, follow};
use super::graceful;
use super::notes::Notes;
use super::periodic::Periodic;
use super::restart_policy::RestartPolicy;
use super::task_context::TaskContext;
use super::work::{Boxed, Outcome, Work, boxed, guarded};
use crate::error::check::Subject;
use crate::error::{BoxError, ConfigError};
use crate::name::Name;
use crate::rt::time;
use crate::shutdown::Shutdown;

/// A task with settings, for [`RunnerHandle::start`](crate::RunnerHandle::start).
///
/// The closure is called inside the task, with a [`Shutdown`] that tells it when to finish.
///
/// ```
/// use seaworthy::{BoxError, Runner, runner::Task};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let runner = Runner::builder().build()?;
/// let import = Task::new("import", |shutdown| async move {
///     for row in 0..1_000 {
///         if shutdown.is_requested() {
///             break;
///         }
///         // … import it.
///         # let _ = row;
///     }
///     Ok::<(), BoxError>(())
/// });
/// // The process is done when the import is.
/// runner.start(import.essential())?;
/// runner.run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a task does nothing until it is started"]
pub struct Task {
    name: Name,
    essential: bool,
    graceful: Option<Rule>,
    kind: TaskKind,
}

type Rule = Box<dyn Fn(&BoxError) -> bool + Send>;
type Repeated = Box<dyn FnMut(Shutdown) -> Boxed<'static> + Send>;
type Checked = Result<(), ConfigError>;
type Followed = Box<dyn FnOnce(TaskContext) -> Boxed<'static> + Send>;

enum TaskKind {
    Once(Box<dyn FnOnce(Shutdown) -> Boxed<'static> + Send>),
    Supervised(RestartPolicy, Repeated),
    Periodic(Periodic, Repeated),
    Follow(Checked, Followed),
}

impl Task {
    /// Runs once. An error or a panic is a failure of the run and begins the shutdown.
    pub fn new<F, T, E>(name: impl Into<Name>, work: F) -> Task
    where
        F: FnOnce(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Task::of(name.into(), TaskKind::Once(Box::new(move |shutdown| boxed(work(shutdown)))))
    }

    /// Is restarted when it fails or panics, as `restart` says, until it succeeds or the shutdown is requested. If it
    /// is waiting then, it ends at once; if it is running, it is told to finish like any other task, and an error after
    /// that is a failure of the run.
    ///
    /// Failures it recovers from are counted and reported to the observer, and are not failures of the run. A task that
    /// gives up fails with its last error.
    pub fn supervised<F, T, E>(name: impl Into<Name>, restart: impl Into<RestartPolicy>, mut work: F) -> Task
    where
        F: FnMut(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Task::of(name.into(), TaskKind::Supervised(restart.into(), Box::new(move |shutdown| boxed(work(shutdown)))))
    }

    /// Runs repeatedly, as `every` says, until the shutdown is requested; a run in progress is awaited. Errors and
    /// panics are counted and reported to the observer, and never end the task.
    pub fn every<F, T, E>(name: impl Into<Name>, every: impl Into<Periodic>, mut work: F) -> Task
    where
        F: FnMut(Shutdown) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Task::of(name.into(), TaskKind::Periodic(every.into(), Box::new(move |shutdown| boxed(work(shutdown)))))
    }

    /// Follows a stream of events, as [`Follow`] says, until the shutdown is requested: at once in a wait and in
    /// `connect`, while an event that is being applied is awaited. It fails at an event that cannot be applied, unless
    /// those are skipped, and at a cursor that is gone, if there is no full pass to make. Connections that fail are
    /// counted and reported to the observer, and never end the task; a stream that just ends is told apart
    /// ([`RunnerEvent::StreamEnded`](crate::observe::RunnerEvent::StreamEnded)).
    pub fn follow<S: EventStream>(name: impl Into<Name>, stream: Follow<S>) -> Task {
        let name = name.into();
        let checked = Subject::checked("task", &name).and_then(|task| stream.check(task));
        Task::of(name, TaskKind::Follow(checked, Box::new(move |context| Box::pin(follow(context, stream)))))
    }

    fn of(name: Name, kind: TaskKind) -> Task {
        Task { name, essential: false, graceful: None, kind }
    }

    /// The run also ends when this task succeeds. An error for a periodic task, where it would mean nothing.
    pub fn essential(mut self) -> Task {
        self.essential = true;
        self
    }

    /// Marks the task as a server: once the shutdown is requested, an error that means that its connection or listener
    /// was closed (`ConnectionAborted`, `ConnectionReset`, `BrokenPipe`, `NotConnected`), or that its work was
    /// cancelled, counts as success. The whole chain of sources is searched.
    ///
    /// Do not use it for a task that has to write something when it stops: there, a closed connection means a loss.
    pub fn server(self) -> Task {
        self.graceful_if(graceful::is_closed)
    }

    /// Once the shutdown is requested, an error for which `rule` returns true counts as success. Replaces
    /// [`server`](Self::server), for libraries with errors of their own, such as `hyper::Error::is_canceled`.
    ///
    /// A tokio task that was cancelled (`JoinError::is_cancelled`) needs neither. An error for a periodic task, where
    /// it would mean nothing.
    pub fn graceful_if(mut self, rule: impl Fn(&BoxError) -> bool + Send + 'static) -> Task {
        self.graceful = Some(Box::new(rule));
        self
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let task = Subject::checked("task", &self.name)?;
        match &self.kind {
            TaskKind::Once(_) => Ok(()),
            TaskKind::Supervised(restart, _) => restart.check(task),
            TaskKind::Periodic(..) if self.essential => {
                Err(task.refuse("essential", true, "means nothing for a periodic task"))
            }
            TaskKind::Periodic(..) if self.graceful.is_some() => {
                Err(task.refuse("graceful_if", format_args!("set"), "means nothing for a periodic task"))
            }
            TaskKind::Periodic(every, _) => every.check(task),
            TaskKind::Follow(..) if self.essential => {
                Err(task.refuse("essential", true, "means nothing for a task that follows a stream"))
            }
            TaskKind::Follow(..) if self.graceful.is_some() => {
                Err(task.refuse("graceful_if", format_args!("set"), "means nothing for a task that follows a stream"))
            }
            TaskKind::Follow(checked, _) => checked.clone(),
        }
    }

    pub(super) fn notes(&self) -> Notes {
        Notes::new(self.name.clone(), self.essential)
    }

    /// Everything the task does, restarts and periods included.
    pub(super) fn into_work(self, context: TaskContext) -> Work {
        let graceful = Graceful(self.graceful);
        Work::new(match self.kind {
            TaskKind::Once(make) => Box::pin(async move {
                context.began_run();
                let shutdown = context.shutdown();
                let outcome = make(shutdown.clone()).await;
                graceful.judge(outcome, &shutdown)
            }),
            TaskKind::Supervised(restart, make) => Box::pin(supervise(context, restart, make, graceful)),
            TaskKind::Periodic(every, make) => Box::pin(repeat(context, every, make)),
            TaskKind::Follow(_, make) => make(context),
        })
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Errors that count as success once the shutdown is requested.
struct Graceful(Option<Rule>);

impl Graceful {
    fn judge(&self, outcome: Outcome, shutdown: &Shutdown) -> Outcome {
        let forgives = |error| graceful::is_cancelled(error) || self.0.as_ref().is_some_and(|rule| rule(error));
        match outcome {
            Err(FailureCause::Error(error)) if shutdown.is_requested() && forgives(&error) => Ok(()),
            outcome => outcome,
        }
    }
}

/// One run, including the call that makes its future: a panic is its outcome.
async fn run(context: &TaskContext, make: &mut Repeated) -> Outcome {
    context.began_run();
    let mut work = Work::new(guarded(|| make(context.shutdown()))?);
    (&mut work).await
}

async fn supervise(context: TaskContext, restart: RestartPolicy, mut make: Repeated, graceful: Graceful) -> Outcome {
    let shutdown = context.shutdown();
    let mut restarts = restart.machine();
    loop {
        let began = time::now();
        let Err(cause) = run(&context, &mut make).await else { return Ok(()) };
        if shutdown.is_requested() {
            return graceful.judge(Err(cause), &shutdown);
        }
        let now = time::now();
        let Some(delay) = restarts.failed(now.since(began), &mut || context.rng()) else { return Err(cause) };
        context.failed(&cause, Some(delay));
        drop(cause);
        if shutdown.until(time::until(now.after(delay))).await.is_none() {
            return Ok(());
        }
    }
}

async fn repeat(context: TaskContext, every: Periodic, mut make: Repeated) -> Outcome {
    let shutdown = context.shutdown();
    let mut schedule = every.machine(time::now());
    loop {
        let due = schedule.due(&mut || context.rng());
        if shutdown.until(time::until(due)).await.is_none() {
            return Ok(());
        }
        let outcome = run(&context, &mut make).await;
        let now = time::now();
        schedule.ran(now);
        if let Err(cause) = outcome {
            // The jitter is not known yet.
            context.failed(&cause, Some(schedule.due(&mut || 0.0).since(now)));
        }
    }
}
