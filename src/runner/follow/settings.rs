use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::stream::EventStream;
use crate::error::check::{Most, Subject};
use crate::error::{BoxError, ConfigError};
use crate::machine::retry::backoff::Backoff;
use crate::machine::runner::reconnect::ReconnectWait;
use crate::runner::periodic::Periodic;
use crate::runner::work::{Boxed, boxed};

/// What becomes of an event that could not be applied in any of its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnPoison {
    /// The task fails and names the cursor.
    #[default]
    Fail,
    /// The event is skipped, which the observer is told.
    Skip,
}

/// A loop that follows a stream of events, for [`Task::follow`](crate::runner::Task::follow).
///
/// It connects at the last cursor, applies one event after the other, and connects again when the stream ends or fails,
/// until the shutdown is requested. The cursor moves when an event was applied and not before, so that one whose
/// `apply` failed comes again.
///
/// | | default |
/// |---|---|
/// | wait before a connection, all but the first | 1 to 5 s, uniform; no two begin within a second |
/// | nothing comes for | 60 s: the connection is taken for dead |
/// | attempts to apply an event | 5, then the task fails |
///
/// ```
/// use seaworthy::runner::{EventStream, Follow, Streamed};
/// use seaworthy::{BoxError, Runner};
/// use std::time::Duration;
///
/// # struct Changes;
/// # impl EventStream for Changes {
/// #     type Event = String;
/// #     type Cursor = u64;
/// #     type Error = BoxError;
/// #     async fn next(&mut self) -> Result<Option<Streamed<String, u64>>, BoxError> {
/// #         std::future::pending().await
/// #     }
/// # }
/// # async fn watch(_after: Option<u64>) -> Result<Changes, BoxError> { Ok(Changes) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let runner = Runner::builder().build()?;
/// let follow = Follow::new(watch, |change: String, cursor: u64| async move {
///     // … store the change, and the cursor with it.
///     # let _ = (change, cursor);
///     Ok::<(), BoxError>(())
/// });
/// runner.follow("changes", follow.from(17).idle_limit(Duration::from_secs(30)))?;
/// # runner.handle().stop();
/// runner.run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is followed until it is given to a task"]
pub struct Follow<S: EventStream> {
    pub(super) cursor: Option<S::Cursor>,
    pub(super) connect: Connect<S>,
    pub(super) apply: Apply<S>,
    pub(super) resync: Option<(Duration, Pass<S::Cursor>)>,
    pub(super) wait: ReconnectWait,
    pub(super) spread: bool,
    pub(super) attempts: u32,
    pub(super) on_poison: OnPoison,
    pub(super) idle_limit: Duration,
}

pub(super) type Connect<S> = Box<dyn FnMut(Option<<S as EventStream>::Cursor>) -> Boxed<'static, S> + Send>;
pub(super) type Apply<S> =
    Box<dyn FnMut(<S as EventStream>::Event, <S as EventStream>::Cursor) -> Boxed<'static, ()> + Send>;
pub(super) type Pass<C> = Box<dyn FnMut() -> Boxed<'static, Option<C>> + Send>;

impl<S: EventStream> Follow<S> {
    /// Connects by `connect`, which gets the last cursor, and gives each event and its cursor to `apply`.
    pub fn new<K, L, E, A, F, G>(mut connect: K, mut apply: A) -> Follow<S>
    where
        K: FnMut(Option<S::Cursor>) -> L + Send + 'static,
        L: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<BoxError>,
        A: FnMut(S::Event, S::Cursor) -> F + Send + 'static,
        F: Future<Output = Result<(), G>> + Send + 'static,
        G: Into<BoxError>,
    {
        Follow {
            cursor: None,
            connect: Box::new(move |cursor| boxed(connect(cursor))),
            apply: Box::new(move |event, cursor| boxed(apply(event, cursor))),
            resync: None,
            wait: ReconnectWait::Between(Duration::from_secs(1), Duration::from_secs(5)),
            spread: false,
            attempts: 5,
            on_poison: OnPoison::default(),
            idle_limit: Duration::from_secs(60),
        }
    }

    /// The first connection gets this cursor. None if not set.
    pub fn from(mut self, cursor: S::Cursor) -> Follow<S> {
        self.cursor = Some(cursor);
        self
    }

    /// Waits before a connection for a time that is uniformly distributed between these. Default 1 s to 5 s. However
    /// short, no two connections begin within a second.
    pub fn wait_between(mut self, least: Duration, most: Duration) -> Follow<S> {
        self.wait = ReconnectWait::Between(least, most);
        self
    }

    /// Waits longer each time, as `backoff` says, instead. It starts over after a connection that gave an event or
    /// lived for 30 s.
    pub fn backoff(mut self, backoff: Backoff) -> Follow<S> {
        self.wait = ReconnectWait::Growing(backoff);
        self
    }

    /// Waits before the first connection, too, so that a thousand processes that start together do not come together.
    pub fn spread(mut self) -> Follow<S> {
        self.spread = true;
        self
    }

    /// How often an event is applied before it is poison. At least 1; default 5.
    pub fn apply_attempts(mut self, attempts: u32) -> Follow<S> {
        self.attempts = attempts;
        self
    }

    /// What becomes of it then. Default [`OnPoison::Fail`].
    pub fn on_poison(mut self, on_poison: OnPoison) -> Follow<S> {
        self.on_poison = on_poison;
        self
    }

    /// A connection that has not come about, or has given nothing, not even [`KeepAlive`](super::Streamed::KeepAlive),
    /// for this time is taken for dead. More than zero; default 60 s.
    pub fn idle_limit(mut self, limit: Duration) -> Follow<S> {
        self.idle_limit = limit;
        self
    }

    /// Makes a full pass every so often (each up to a tenth of `every` later), for what the stream may have missed, and
    /// at once when a connection answers [`CursorGone`](super::CursorGone). It returns the cursor from which the stream
    /// goes on after a refused one; after a pass that was due the stream goes on where it is.
    ///
    /// Never at the same time as `apply`. One that fails is told and made again: after the wait before a connection if
    /// the cursor was refused, when the next is due otherwise.
    pub fn resync<P, F, E>(mut self, every: Duration, mut pass: P) -> Follow<S>
    where
        P: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<Option<S::Cursor>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.resync = Some((every, Box::new(move || boxed(pass()))));
        self
    }

    pub(in crate::runner) fn check(&self, task: Subject<'_>) -> Result<(), ConfigError> {
        match &self.wait {
            ReconnectWait::Between(least, most) => {
                task.require(least <= most, "wait_between", most, "must not end before it begins")?;
            }
            ReconnectWait::Growing(backoff) => task.backoff("backoff", backoff)?,
        }
        task.count("apply_attempts", self.attempts, Most::NONE)?;
        task.time("idle_limit", self.idle_limit)?;
        self.resync.as_ref().map_or(Ok(()), |(every, _)| periodic(*every).check_as(task, "resync"))
    }
}

/// When full passes are due.
pub(super) fn periodic(every: Duration) -> Periodic {
    Periodic::new(every).first_after(every).jitter(every / 10)
}

impl<S: EventStream> fmt::Debug for Follow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
