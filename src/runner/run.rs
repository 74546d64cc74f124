use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::builder::Times;
use super::failure::{Failure, FailureCause, RunError};
use super::handle::{Runner, RunnerHandle};
use super::shared::{Ended, Hook, Owner, Shared, Step, When};
use super::shutdown_reason::ShutdownReason;
use super::signal::{Signal, SignalListener};
use super::work::guarded;
use crate::error::one_line::OneLine;
use crate::machine::lifecycle::phase::Phase;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::panic::log_guarded;
use crate::rt::time;
use crate::rt::time::Alarm;

/// How long aborted tasks have to go away. It takes a moment at most, unless one blocks its thread.
const ABORT: Duration = Duration::from_millis(100);

/// The drain delay after SIGTERM if none was set.
const AFTER_SIGTERM: Duration = Duration::from_secs(5);

/// Signals that arrive within this time count as one: a terminal sends Ctrl-C to a whole group of processes, and a
/// manager among them passes it on.
const ONE_SIGNAL: Duration = Duration::from_millis(100);

/// The second signal cuts the shutdown short; the third cuts the cleanups short, too.
const ABORTS: u32 = 2;
const ABORTS_CLEANUP: u32 = 3;

type Parent = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A run, from the first startup step to the last cleanup. It drives steps and hooks itself; tasks belong to the
/// runtime.
pub(super) struct ServiceRun {
    owner: Owner,
    signals: SignalListener,
    parents: Vec<Parent>,
    times: Times,
    /// Why the shutdown began; none before that.
    reason: Option<ShutdownReason>,
    heard: u32,
    /// When the last signal was heard.
    heard_at: Option<Timestamp>,
    failures: Vec<Failure>,
    /// Failures reported since the tasks were aborted, by the id of the task.
    stragglers: Option<Vec<(u64, Failure)>>,
}

/// How driving something ended.
enum Driven<T> {
    Done(T),
    /// Its time was up.
    Late,
    Cut,
}

impl ServiceRun {
    pub(super) fn new(runner: Runner) -> ServiceRun {
        let Runner { owner, signals, parents, times } = runner;
        let parents = parents.into_iter().map(|parent| Box::pin(parent.requested_owned()) as Parent).collect();
        ServiceRun {
            owner,
            signals,
            parents,
            times,
            reason: None,
            heard: 0,
            heard_at: None,
            failures: Vec::new(),
            stragglers: None,
        }
    }

    pub(super) async fn complete(mut self) -> Result<(), RunError> {
        self.shared().health.begin();
        self.start().await;
        let served = self.reason.is_none();
        if served {
            self.shared().health.advance(Phase::Serving);
            log_guarded(|| tracing::info!(target: "seaworthy::runner", "serving"));
            self.drive(Timestamp::NEVER, |run| run.reason.is_some(), |_| Poll::<()>::Pending).await;
        }
        self.drain(served).await;
        self.stop().await;
        self.abort().await;
        for hook in self.shared().take_hooks(When::Cleanup) {
            let until = time::now().after(hook.limit);
            self.hook(When::Cleanup, hook, until, ABORTS_CLEANUP).await;
        }
        self.listen_once().await;
        let ServiceRun { owner, failures, .. } = self;
        drop(owner);
        RunError::of(failures).map_or(Ok(()), Err)
    }

    /// Runs the startup steps, until one fails or the shutdown begins.
    async fn start(&mut self) {
        let handle = RunnerHandle(self.owner.0.clone());
        for step in self.shared().take_steps() {
            self.listen_once().await;
            if self.reason.is_some() {
                self.leave_out(step);
                continue;
            }
            log_guarded(|| tracing::info!(target: "seaworthy::runner", name = %OneLine(&step.name), "starting"));
            let mut work = (step.make)(handle.clone());
            let outcome = match self.drive(Timestamp::NEVER, |run| run.reason.is_some(), |cx| work.poll(cx)).await {
                Driven::Done(outcome) => outcome,
                // It was told to stop, so it did not fail; but it may panic when it is dropped.
                Driven::Late | Driven::Cut => work.discard(),
            };
            if let Err(cause) = outcome {
                log_failed_step(&step.name, &cause);
                self.failures.push(Failure::Startup { name: step.name, cause });
                self.begin(ShutdownReason::Startup);
            }
        }
        self.listen_once().await;
    }

    /// Drops a step, which is anyone's code: a panic must not prevent the cleanups from running.
    fn leave_out(&mut self, step: Step) {
        let Step { name, make } = step;
        if let Err(cause) = guarded(|| drop(make)) {
            log_failed_step(&name, &cause);
            self.failures.push(Failure::Startup { name, cause });
        }
    }

    async fn drain(&mut self, served: bool) {
        self.shared().health.advance(Phase::Draining);
        self.shared().close();
        let delay = self.drain_delay();
        let reason = self.reason.as_ref().map(OneLine).map(tracing::field::display);
        log_guarded(|| tracing::info!(target: "seaworthy::runner", reason, ?delay, "draining"));
        if served && !delay.is_zero() {
            let until = time::now().after(delay);
            self.drive(until, |run| run.heard >= ABORTS, |_| Poll::<()>::Pending).await;
        }
    }

    /// After SIGTERM the orchestrator has yet to tell the senders of requests; someone who pressed Ctrl-C does not want
    /// to wait.
    fn drain_delay(&self) -> Duration {
        self.times.drain_delay.unwrap_or(match self.reason {
            Some(ShutdownReason::Signal(Signal::Terminate)) => AFTER_SIGTERM,
            _ => Duration::ZERO,
        })
    }

    /// Tells the tasks to finish, runs the hooks, and waits for the tasks and the requests while there is time.
    async fn stop(&mut self) {
        let until = time::now().after(self.times.grace_period);
        log_guarded(
            || tracing::info!(target: "seaworthy::runner", grace_period = ?self.times.grace_period, "stopping"),
        );
        // First, because a server that waits for its connections waits for them, too.
        self.shared().health.end_streams();
        self.shared().trigger.fire();
        for hook in self.shared().take_hooks(When::OnStop) {
            let until = until.min(time::now().after(hook.limit));
            self.hook(When::OnStop, hook, until, ABORTS).await;
        }
        let shared = self.owner.0.clone();
        let mut idle = Box::pin(shared.health.idle());
        let mut is_idle = false;
        let done = |cx: &mut Context<'_>| {
            is_idle = is_idle || idle.as_mut().poll(cx).is_ready();
            if is_idle && !shared.has_tasks() { Poll::Ready(()) } else { Poll::Pending }
        };
        self.drive(until, |run| run.heard >= ABORTS, done).await;
        self.listen_once().await;
    }

    /// Aborts the remaining tasks, and names them and the number of remaining requests.
    async fn abort(&mut self) {
        if self.shared().has_tasks() {
            self.stragglers = Some(Vec::new());
            self.shared().dismiss();
            let shared = self.owner.0.clone();
            let gone = |_: &mut Context<'_>| if shared.has_tasks() { Poll::Pending } else { Poll::Ready(()) };
            self.drive(time::now().after(ABORT), |_| false, gone).await;
            let left = self.shared().give_up();
            self.listen_once().await;
            let mut stragglers = self.stragglers.take().unwrap_or_default();
            stragglers
                .extend(left.into_iter().map(|(id, name)| (id, Failure::Task { name, cause: FailureCause::Blocking })));
            stragglers.sort_by_key(|(id, _)| *id);
            for (_, failure) in stragglers {
                log_guarded(|| tracing::warn!(target: "seaworthy::runner", failure = %OneLine(&failure), "straggler"));
                self.failures.push(failure);
            }
        }
        let requests = self.shared().health.in_flight();
        if requests > 0 {
            log_guarded(|| tracing::warn!(target: "seaworthy::runner", requests, "requests still in flight"));
            self.failures.push(Failure::InFlight { requests });
        }
    }

    /// Runs a hook until it ends, `until` has passed, or `patience` signals were heard. It is polled at least once.
    async fn hook(&mut self, when: When, hook: Hook, until: Timestamp, patience: u32) {
        let Hook { name, mut work, .. } = hook;
        let after = until.since(time::now());
        let outcome = match self.drive(until, |run| run.heard >= patience, |cx| work.poll(cx)).await {
            Driven::Done(outcome) => outcome,
            Driven::Late => work.discard().and(Err(FailureCause::TimedOut { after })),
            Driven::Cut => work.discard().and(Err(FailureCause::Aborted)),
        };
        let Err(cause) = outcome else { return };
        let failure = match when {
            When::OnStop => Failure::OnStop { name, cause },
            When::Cleanup => Failure::Cleanup { name, cause },
        };
        log_guarded(|| tracing::error!(target: "seaworthy::runner", failure = %OneLine(&failure), "hook failed"));
        self.failures.push(failure);
    }

    /// Polls `work` and listens for news until `work` is ready, `until` has passed, or `cut` returns true. If `work` is
    /// ready, its result is never lost to either.
    async fn drive<T>(
        &mut self,
        until: Timestamp,
        cut: impl Fn(&ServiceRun) -> bool,
        mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Driven<T> {
        let mut alarm = Alarm::default();
        // A timer would round a duration of zero up to a millisecond.
        let is_late = until <= time::now();
        if !is_late {
            alarm.set(until);
        }
        poll_fn(|cx| {
            self.listen(cx);
            if let Poll::Ready(done) = work(cx) {
                Poll::Ready(Driven::Done(done))
            } else if cut(self) {
                Poll::Ready(Driven::Cut)
            } else if is_late || alarm.poll(cx).is_ready() {
                Poll::Ready(Driven::Late)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    async fn listen_once(&mut self) {
        poll_fn(|cx| {
            self.listen(cx);
            Poll::Ready(())
        })
        .await;
    }

    fn listen(&mut self, cx: &mut Context<'_>) {
        let news = self.shared().news(cx.waker());
        for ended in news.ended {
            self.ended(ended);
        }
        if news.is_stop {
            self.begin(ShutdownReason::Stop);
        }
        for _ in 0..news.interrupts {
            self.hear(ShutdownReason::Interrupt);
        }
        while let Some(signal) = self.signals.poll(cx) {
            self.hear(ShutdownReason::Signal(signal));
        }
        let before = self.parents.len();
        self.parents.retain_mut(|parent| parent.as_mut().poll(cx).is_pending());
        if self.parents.len() < before {
            self.begin(ShutdownReason::Parent);
        }
    }

    fn begin(&mut self, reason: ShutdownReason) {
        self.reason.get_or_insert(reason);
    }

    fn hear(&mut self, reason: ShutdownReason) {
        let now = time::now();
        if self.heard_at.is_some_and(|before| now.since(before) <= ONE_SIGNAL) {
            return;
        }
        self.heard_at = Some(now);
        self.begin(reason);
        self.heard = self.heard.saturating_add(1);
        if self.heard == ABORTS {
            log_guarded(|| tracing::warn!(target: "seaworthy::runner", "second signal, aborting"));
            self.failures.push(Failure::Forced);
        }
    }

    fn ended(&mut self, Ended { id, name, outcome }: Ended) {
        let reason = ShutdownReason::Task(Name::clone(&name));
        match (outcome, &mut self.stragglers) {
            (Ok(()), _) => {}
            (Err(cause), Some(stragglers)) => stragglers.push((id, Failure::Task { name, cause })),
            (Err(cause), None) => self.failures.push(Failure::Task { name, cause }),
        }
        self.begin(reason);
    }

    fn shared(&self) -> &Shared {
        &self.owner.0
    }
}

fn log_failed_step(name: &Name, cause: &FailureCause) {
    let (name, cause) = (OneLine(name), OneLine(cause));
    log_guarded(|| tracing::error!(target: "seaworthy::runner", %name, %cause, "startup step failed"));
}
