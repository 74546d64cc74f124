use std::future::poll_fn;
use std::task::Poll;

use super::error::{CursorGone, FollowError};
use super::settings::{Follow, OnPoison, periodic};
use super::stream::{EventStream, Streamed};
use crate::error::BoxError;
use crate::error::chain::chain;
use crate::machine::runner::schedule::PeriodicSchedule;
use crate::rt::time::{self, Alarm};
use crate::runner::failure::FailureCause;
use crate::runner::task_context::TaskContext;
use crate::runner::work::{Boxed, Guarded, boxed, guarded};
use crate::shutdown::Shutdown;

/// How a connection ended.
pub(super) enum End {
    Shutdown,
    /// By itself, without an error.
    Stream,
    Failed(FailureCause),
    /// There is no other one after it.
    Fatal(FailureCause),
}

/// What is kept from one connection to the next.
pub(super) struct Following<S: EventStream> {
    follow: Follow<S>,
    /// How often the event behind the cursor was not applied.
    attempts: u32,
    /// The cursor was refused, and no pass has been made since.
    is_gone: bool,
    /// This connection has moved the cursor.
    has_moved: bool,
    passes: Option<Passes>,
}

/// When a full pass is due.
struct Passes {
    schedule: PeriodicSchedule,
    due: Alarm,
}

/// What ends the wait for an event.
enum Woken<T> {
    Next(T),
    PassDue,
    Idle,
}

impl<S: EventStream> Following<S> {
    pub(super) fn new(follow: Follow<S>, context: &TaskContext) -> Following<S> {
        let passes = follow.resync.as_ref().map(|(every, _)| {
            let schedule = periodic(*every).machine(time::now());
            let due = Alarm::at(schedule.due(&mut || context.rng()));
            Passes { schedule, due }
        });
        Following { follow, attempts: 0, is_gone: false, has_moved: false, passes }
    }

    pub(super) fn has_moved(&self) -> bool {
        self.has_moved
    }

    /// Connects, and applies what comes until it ends. The stream is gone then.
    pub(super) async fn connection(&mut self, context: &TaskContext, shutdown: &Shutdown) -> End {
        self.has_moved = false;
        if self.is_gone {
            match self.pass().await {
                Ok(cursor) => self.follow.cursor = cursor,
                Err(cause) => return End::Failed(told(cause, FollowError::Resync)),
            }
            self.is_gone = false;
        }
        if shutdown.is_requested() {
            return End::Shutdown;
        }
        let cursor = self.follow.cursor.clone();
        let mut connect = match begun(|| (self.follow.connect)(cursor)) {
            Ok(connect) => connect,
            Err(panic) => return End::Failed(panic),
        };
        let mut idle = self.idle();
        let connected = shutdown.until(poll_fn(|cx| match connect.poll(cx) {
            Poll::Ready(connected) => Poll::Ready(Some(connected)),
            Poll::Pending => idle.poll(cx).map(|()| None),
        }));
        let connected = connected.await;
        let dropped = connect.discard();
        let mut stream = match connected {
            None => return End::Shutdown,
            Some(None) => return End::Failed(dropped.err().unwrap_or_else(|| self.nothing_came())),
            Some(Some(Err(cause))) => return self.broken(cause, FollowError::Connect),
            Some(Some(Ok(stream))) => stream,
        };
        let end = self.read(&mut stream, context, shutdown).await;
        match (end, guarded(|| drop(stream))) {
            (End::Stream, Err(panic)) => End::Failed(panic),
            (end, _) => end,
        }
    }

    async fn read(&mut self, stream: &mut S, context: &TaskContext, shutdown: &Shutdown) -> End {
        loop {
            let mut idle = self.idle();
            let mut next = match begun(|| boxed(stream.next())) {
                Ok(next) => next,
                Err(panic) => return End::Failed(panic),
            };
            let streamed = loop {
                // A stream that always has something must not keep a pass from its turn.
                let woken = shutdown.until(poll_fn(|cx| {
                    let passes = self.passes.as_mut();
                    if passes.is_some_and(|passes| passes.due.poll(cx).is_ready()) {
                        return Poll::Ready(Woken::PassDue);
                    }
                    match next.poll(cx) {
                        Poll::Ready(streamed) => Poll::Ready(Woken::Next(streamed)),
                        Poll::Pending => idle.poll(cx).map(|()| Woken::Idle),
                    }
                }));
                match woken.await {
                    None => return End::Shutdown,
                    Some(Woken::Next(streamed)) => break streamed,
                    Some(Woken::Idle) => return End::Failed(self.nothing_came()),
                    // What comes meanwhile stays in the stream.
                    Some(Woken::PassDue) => {
                        self.pass_that_is_due(context, shutdown).await;
                        idle = self.idle();
                    }
                }
            };
            drop(next);
            let end = match streamed {
                Ok(None) => Some(End::Stream),
                Ok(Some(Streamed::KeepAlive)) => None,
                Ok(Some(Streamed::Cursor(cursor))) => {
                    self.moved(cursor);
                    None
                }
                Ok(Some(Streamed::Event(event, cursor))) => self.apply(event, cursor, context).await,
                Err(cause) => Some(self.broken(cause, FollowError::Stream)),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Returns how the connection ends, if it does.
    async fn apply(&mut self, event: S::Event, cursor: S::Cursor, context: &TaskContext) -> Option<End> {
        let applied = match begun(|| (self.follow.apply)(event, cursor.clone())) {
            Ok(apply) => apply.await,
            Err(panic) => Err(panic),
        };
        if let Err(cause) = applied {
            self.attempts = self.attempts.saturating_add(1);
            let is_last = self.attempts >= self.follow.attempts;
            if !is_last && matches!(cause, FailureCause::Panicked(_)) {
                return Some(End::Failed(cause));
            }
            let error = FollowError::Apply {
                cursor: format!("{cursor:?}"),
                attempt: self.attempts,
                attempts: self.follow.attempts,
                source: error_of(cause),
            };
            match self.follow.on_poison {
                _ if !is_last => return Some(End::Failed(FailureCause::Error(error.into()))),
                OnPoison::Fail => return Some(End::Fatal(FailureCause::Error(error.into()))),
                OnPoison::Skip => context.skipped(&error),
            }
        }
        self.attempts = 0;
        self.moved(cursor);
        None
    }

    fn moved(&mut self, cursor: S::Cursor) {
        self.follow.cursor = Some(cursor);
        self.has_moved = true;
    }

    /// A connection broke, or never was.
    fn broken(&mut self, cause: FailureCause, why: fn(BoxError) -> FollowError) -> End {
        let is_gone = match &cause {
            FailureCause::Error(error) => chain(&**error).any(|error| error.is::<CursorGone>()),
            _ => false,
        };
        if is_gone && self.follow.resync.is_none() {
            let cursor = format!("{:?}", self.follow.cursor);
            return End::Fatal(FailureCause::Error(FollowError::CursorGone { cursor }.into()));
        }
        self.is_gone = is_gone;
        End::Failed(told(cause, why))
    }

    async fn pass_that_is_due(&mut self, context: &TaskContext, shutdown: &Shutdown) {
        let made = self.pass().await;
        let Some(passes) = &mut self.passes else { return };
        let now = time::now();
        passes.schedule.ran(now);
        let due = passes.schedule.due(&mut || context.rng());
        passes.due.set(due);
        match made {
            Err(cause) if !shutdown.is_requested() => {
                context.failed(&told(cause, FollowError::Resync), Some(due.since(now)));
            }
            _ => {}
        }
    }

    async fn pass(&mut self) -> Result<Option<S::Cursor>, FailureCause> {
        let Some((_, pass)) = &mut self.follow.resync else { return Ok(self.follow.cursor.clone()) };
        begun(pass)?.await
    }

    fn idle(&self) -> Alarm {
        Alarm::at(time::now().after(self.follow.idle_limit))
    }

    fn nothing_came(&self) -> FailureCause {
        FailureCause::Error(FollowError::Idle { limit: self.follow.idle_limit }.into())
    }
}

/// Foreign code that may panic when it makes its future.
fn begun<'a, T>(make: impl FnOnce() -> Boxed<'a, T>) -> Result<Guarded<'a, T>, FailureCause> {
    guarded(make).map(Guarded::new)
}

fn told(cause: FailureCause, why: fn(BoxError) -> FollowError) -> FailureCause {
    match cause {
        FailureCause::Error(error) => FailureCause::Error(why(error).into()),
        panic => panic,
    }
}

/// In words, with the panic's message if it panicked.
fn error_of(cause: FailureCause) -> BoxError {
    match cause {
        FailureCause::Error(error) => error,
        other => other.to_string().into(),
    }
}
