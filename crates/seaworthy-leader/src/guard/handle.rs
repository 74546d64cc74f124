use std::fmt;
use std::future::Future;
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::runner::{RestartPolicy, RestartWaits, Task};
use seaworthy::{Backoff, BoxError, Event as CoreEvent, Name, Shutdown};
use seaworthy_store::random;
use seaworthy_store::time::{now, sleep};

use super::checks::{LeadingCheck, StoreCheck};
use super::lead::{Outcome, lead};
use super::status::LeaderStatus;
use super::watch::LeaderWatch;
use crate::elector::Elector;
use crate::error::{ElectionError, GuardError};
use crate::event::Event;
use crate::machine::waits::ErrorWaits;
use crate::term::Term;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Runs work while this process leads: campaigns, calls the closure with the term, awaits it, gives the name back,
/// waits, and campaigns again, until the shutdown is requested.
///
/// The closure is called once for each term, and never while another of its futures is alive. The term that it is given
/// is renewed until its work has ended, even if it drops it.
///
/// ```
/// use seaworthy::{BoxError, Runner};
/// use seaworthy_leader::{LeaderGuard, LocalElector, Term};
///
/// async fn reconcile(term: Term) -> Result<(), BoxError> {
///     let ended = term.ended();
///     while !ended.is_requested() {
///         // … one step, with `term.epoch()` for those who compare.
///         # break;
///     }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let elector = LocalElector::builder().build()?;
/// let guard = LeaderGuard::new(elector, "reconciler", reconcile);
/// let leading = guard.watch();
///
/// let runner = Runner::builder().build()?;
/// runner.start(guard.into_task())?;
/// # assert!(leading.epoch().is_none());
/// # runner.handle().interrupt();
/// runner.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Work that does not end
/// When its term [ends](Term::ended) work has the elector's stop time, 3 s by default, and is then dropped; at a
/// shutdown it has the release grace, 10 s, in which the lease is renewed. Work that blocks its thread cannot be
/// dropped: it is named in an event, the name is not given back, which leaves it to its ttl, and the guard does not
/// campaign before it has ended. On a runtime with one thread such work also stops the renewing.
#[must_use = "a guard does nothing until it runs"]
pub struct LeaderGuard<E, F> {
    elector: E,
    name: Name,
    work: F,
    restarts: RestartPolicy,
    watch: LeaderWatch,
}

fn between_terms() -> RestartPolicy {
    RestartPolicy::new(Backoff::exponential(FIRST_WAIT, LONGEST_WAIT))
}

impl<E: Elector, F> LeaderGuard<E, F> {
    /// `work` makes the future of each term. It needs `Send` where the guard becomes a task.
    pub fn new<W, R>(elector: E, name: impl Into<Name>, work: F) -> LeaderGuard<E, F>
    where
        F: FnMut(Term<E::Store>) -> W,
        W: Future<Output = Result<(), R>>,
        R: Into<BoxError>,
    {
        let name = name.into();
        let watch = LeaderWatch::new(name.clone(), elector.sight().clone(), elector.pace().ttl);
        LeaderGuard { elector, name, work, restarts: between_terms(), watch }
    }

    /// How the guard goes on after work that failed or panicked. Default: it waits 1 s, doubling to 30 s, with full
    /// jitter, which starts over after a term of 60 s, and never gives up. Work that ended well, or was told to end,
    /// always goes by that default, and is not counted.
    pub fn restarts(mut self, restarts: impl Into<RestartPolicy>) -> LeaderGuard<E, F> {
        self.restarts = restarts.into();
        self
    }

    /// What it is at.
    #[must_use]
    pub fn status(&self) -> LeaderStatus {
        self.watch.status()
    }

    /// Looks at it, and at nothing else of it, when it has become a task.
    #[must_use]
    pub fn watch(&self) -> LeaderWatch {
        self.watch.clone()
    }

    /// See [`LeaderWatch::leading`].
    #[must_use]
    pub fn leading(&self) -> LeadingCheck {
        self.watch.leading()
    }

    /// See [`LeaderWatch::store`].
    #[must_use]
    pub fn store(&self) -> StoreCheck {
        self.watch.store()
    }

    /// Runs until the shutdown is requested: at once, if it does not lead then.
    ///
    /// # Errors
    /// If the name or a setting cannot be used; if the store refuses before it has ever answered, so that a wrong
    /// deployment does not look like a follower (later that is tried again, as everything else); if work failed or
    /// panicked once more than it may be started again, or while the shutdown was under way.
    ///
    /// # Cancellation
    /// Dropping it drops the work, and gives the name back in the background.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Not if the work does.
    pub async fn run<W, R>(mut self, shutdown: Shutdown) -> Result<(), GuardError>
    where
        F: FnMut(Term<E::Store>) -> W,
        W: Future<Output = Result<(), R>>,
        R: Into<BoxError>,
    {
        let mut failures = RestartWaits::new(self.restarts).map_err(GuardError::Config)?;
        let mut waits = RestartWaits::new(between_terms()).map_err(GuardError::Config)?;
        let (mut errors, start) = (ErrorWaits::default(), now());
        loop {
            let term = match shutdown.until(self.elector.campaign(self.name.clone())).await {
                None => return Ok(()),
                Some(Ok(term)) => term,
                Some(Err(error)) => {
                    let has_answered = self.elector.sight().last_answer().is_some();
                    if !has_answered || matches!(error, ElectionError::Request(_) | ElectionError::Stopped) {
                        return Err(GuardError::Election(error));
                    }
                    let (moment, poll) = (now().saturating_duration_since(start), self.elector.pace().poll);
                    let wait = errors.after_error(moment, poll, random::fraction());
                    if shutdown.until(sleep(wait)).await.is_none() {
                        return Ok(());
                    }
                    continue;
                }
            };
            let began = now();
            let (epoch, pace) = (term.epoch(), self.elector.pace());
            let outcome = lead(term, &mut self.work, &self.watch, pace, &shutdown, |error| {
                notify(self.elector.notifier(), &Event::WorkFailed { name: &self.name, epoch, error });
            });
            let outcome = outcome.await;
            let ran_for = now().saturating_duration_since(began);
            let wait = match outcome {
                Outcome::Failed { error, .. } if shutdown.is_requested() => return Err(error),
                _ if shutdown.is_requested() => return Ok(()),
                Outcome::Failed { error, was_told: false } => match failures.after_failure(ran_for) {
                    Some(wait) => wait,
                    None => return Err(error),
                },
                Outcome::Over | Outcome::Failed { .. } => waits.after_failure(ran_for).unwrap_or(LONGEST_WAIT),
            };
            if shutdown.until(sleep(wait)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// A task for a [`Runner`](seaworthy::Runner), under the name that is led.
    pub fn into_task<W, R>(self) -> Task
    where
        F: FnMut(Term<E::Store>) -> W + Send + 'static,
        W: Future<Output = Result<(), R>> + Send + 'static,
        R: Into<BoxError> + 'static,
    {
        Task::new(self.name.clone(), move |shutdown| self.run(shutdown))
    }
}

fn notify(notifier: &Notifier, event: &Event<'_>) {
    notifier.notify(CoreEvent::Extension(event));
}

impl<E, F> fmt::Debug for LeaderGuard<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderGuard")
            .field("name", &self.name)
            .field("restarts", &self.restarts)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}
