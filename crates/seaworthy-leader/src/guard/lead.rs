//! One term of a guard.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::observe::panic_text;
use seaworthy::{BoxError, Shutdown};
use seaworthy_store::time::{Instant, now, sleep_until};

use super::watch::LeaderWatch;
use crate::elector::Pace;
use crate::error::GuardError;
use crate::event::TermEnd;
use crate::term::{Keeper, Term};

/// Further away than any program runs.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

pub(super) enum Outcome {
    /// The work ended well, or was dropped when its time was over.
    Over,
    Failed {
        error: GuardError,
        /// Its term had been told to end, which may be why.
        was_told: bool,
    },
}

/// Runs the work of one term, and gives the term back when it is gone.
pub(super) async fn lead<S, F, W, R>(
    mut term: Term<S>,
    make: &mut F,
    watch: &LeaderWatch,
    pace: Pace,
    shutdown: &Shutdown,
    tell: impl Fn(&str),
) -> Outcome
where
    F: FnMut(Term<S>) -> W,
    W: Future<Output = Result<(), R>>,
    R: Into<BoxError>,
{
    let keeper = term.keep();
    // Dropped before the keeper: whoever looks sees that it ends before others can lead.
    let _shown = Shown::begin(watch, &keeper);
    let work = match catch_unwind(AssertUnwindSafe(|| make(term))) {
        Ok(work) => Work(Some(Box::pin(work))),
        Err(panic) => return failed(keeper, panicked(panic), TermEnd::Panicked, tell).await,
    };
    let error = match until_gone(work, &keeper, pace, shutdown).await {
        Ok(Some(Err(error))) => Some((GuardError::Work(error.into()), TermEnd::Failed)),
        Ok(_) => None,
        Err(panic) => Some((panicked(panic), TermEnd::Panicked)),
    };
    match error {
        Some((error, end)) => failed(keeper, error, end, tell).await,
        None => {
            keeper.give_back(TermEnd::Released).await;
            Outcome::Over
        }
    }
}

type Panic = Box<dyn std::any::Any + Send>;

fn panicked(panic: Panic) -> GuardError {
    GuardError::Panicked(panic_text(panic))
}

async fn failed(keeper: Keeper, error: GuardError, end: TermEnd, tell: impl Fn(&str)) -> Outcome {
    let was_told = keeper.is_ended();
    match &error {
        GuardError::Work(error) => tell(&error.to_string()),
        error => tell(&error.to_string()),
    }
    keeper.give_back(end).await;
    Outcome::Failed { error, was_told }
}

/// Polls the work until it has ended, or its time is over and it is dropped: then there is no output.
async fn until_gone<W: Future>(
    mut work: Work<W>,
    keeper: &Keeper,
    pace: Pace,
    shutdown: &Shutdown,
) -> Result<Option<W::Output>, Panic> {
    let mut stop_by = keeper.stop_by();
    let mut is_winding_down = false;
    loop {
        let limit: Option<Instant> = *stop_by.borrow_and_update();
        let mut over = pin!(sleep_until(limit.unwrap_or_else(|| now() + FAR)));
        let mut changed = pin!(stop_by.changed());
        let mut requested = pin!(shutdown.requested());
        let step = poll_fn(|cx| {
            if let Poll::Ready(outcome) = work.poll(cx) {
                return Poll::Ready(Step::Ended(outcome));
            }
            if limit.is_some() && over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Over);
            }
            if !is_winding_down && requested.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Shutdown);
            }
            changed.as_mut().poll(cx).map(|_| Step::Changed)
        });
        match step.await {
            Step::Ended(outcome) => return outcome.map(Some),
            Step::Over => return work.discard().map(|()| None),
            Step::Shutdown => {
                is_winding_down = true;
                let now = now();
                let stop_by = now.checked_add(pace.release_grace).unwrap_or_else(|| now + FAR);
                keeper.wind_down(stop_by);
            }
            Step::Changed => {}
        }
    }
}

enum Step<T> {
    Ended(Result<T, Panic>),
    Over,
    Shutdown,
    Changed,
}

/// Foreign code that may panic when it is polled and when it is dropped.
struct Work<W>(Option<Pin<Box<W>>>);

impl<W: Future> Work<W> {
    /// Ready once; by then the future is gone.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<W::Output, Panic>> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(self.discard().map(|()| output)),
            Err(panic) => {
                // A second panic, from dropping what the first one left behind, says less than the first.
                let _second = self.discard();
                Poll::Ready(Err(panic))
            }
        }
    }

    fn discard(&mut self) -> Result<(), Panic> {
        let work = self.0.take();
        catch_unwind(AssertUnwindSafe(|| drop(work)))
    }
}

/// Shows in the guard's watch that it leads.
struct Shown<'a>(&'a LeaderWatch);

impl<'a> Shown<'a> {
    fn begin(watch: &'a LeaderWatch, keeper: &Keeper) -> Shown<'a> {
        watch.begin(keeper.watch());
        Shown(watch)
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
