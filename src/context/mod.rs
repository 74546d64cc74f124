//! What travels with a call inside the process: today its deadline.
//!
//! ```text
//!   deadline.scope(future) ─┬─ around each poll of the future ─┐
//!   DeadlineLayer ──────────┼─ around `call` and each poll ────┼──▶ current on this thread ◀── asked by what is inside
//!                           └─ while the future is dropped ────┘
//! ```
//!
//! A [`Context`] is current exactly while something inside its scope runs. It does not pass to spawned tasks, nor
//! through layers that move a call to another task, such as tower's `Buffer`: take [`Context::current`] along, and
//! enter it there with [`Context::scope`].

mod deadline;
mod scope;

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

pub use deadline::Deadline;
pub use scope::ContextFuture;

use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// What travels with a call. Taken with [`current`](Context::current) and entered again with [`scope`](Context::scope),
/// it crosses to another task.
///
/// ```
/// use seaworthy::{Context, Deadline};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deadline = Deadline::within(Duration::from_secs(1));
/// let seen = deadline
///     .scope(async {
///         let context = Context::current();
///         tokio::spawn(context.scope(async { Deadline::current() })).await
///     })
///     .await?;
/// assert_eq!(seen, Some(deadline));
/// assert_eq!(Deadline::current(), None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Context {
    deadline: Timestamp,
    /// The clock, as it was read while this was current; the first moment, if it was not. It serves whoever asks next,
    /// as long as the deadline is far.
    read: Timestamp,
}

thread_local!(static CURRENT: Cell<Context> = const { Cell::new(Context::NONE) });

/// A deadline that was further away than this when the clock was read has not passed for what runs within the same
/// poll: that may take a while, but a poll that blocks its thread for longer is a fault of its own.
const FAR: Duration = Duration::from_millis(10);

const UNREAD: Timestamp = Timestamp::from_nanos(0);

impl Context {
    const NONE: Context = Context { deadline: Timestamp::NEVER, read: UNREAD };

    /// What is current here. Outside any scope it has no deadline.
    #[must_use]
    pub fn current() -> Context {
        Context { read: UNREAD, ..CURRENT.get() }
    }

    /// Its deadline, if it has one.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        Deadline::from_timestamp(self.deadline)
    }

    /// The same with this deadline, unless it has an earlier one.
    #[must_use]
    pub fn with_deadline(self, deadline: Deadline) -> Context {
        Context { deadline: self.deadline.min(deadline.timestamp()), read: UNREAD }
    }

    /// Makes it current while `future` is polled or dropped. It narrows what is current there and never widens it: of
    /// two deadlines the earlier one holds.
    ///
    /// # Cancellation
    /// Dropping it drops `future`, inside the scope.
    pub fn scope<F: Future>(self, future: F) -> ContextFuture<F> {
        ContextFuture::narrowing(self.deadline, future)
    }
}

/// Whether there is a deadline.
#[inline(always)]
pub(crate) fn has_deadline() -> bool {
    deadline() != Timestamp::NEVER
}

/// The current deadline, or never.
#[inline(always)]
pub(crate) fn deadline() -> Timestamp {
    CURRENT.get().deadline
}

/// A look at the current deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineCheck {
    pub(crate) now: Timestamp,
    pub(crate) has_passed: bool,
}

/// Looks whether the current deadline has passed. Without one, the clock is not read.
#[inline(always)]
pub(crate) fn check_deadline() -> Option<DeadlineCheck> {
    has_deadline().then(check_with_clock)
}

/// Whether the current deadline has passed.
#[inline(always)]
pub(crate) fn deadline_has_passed() -> bool {
    has_deadline() && check_with_clock().has_passed
}

#[cold]
fn check_with_clock() -> DeadlineCheck {
    let Context { deadline, read } = CURRENT.get();
    if read != UNREAD && deadline.since(read) > FAR {
        return DeadlineCheck { now: read, has_passed: false };
    }
    let now = time::now();
    CURRENT.set(Context { deadline, read: now });
    DeadlineCheck { now, has_passed: now >= deadline }
}

/// By how much the current deadline has been missed.
pub(crate) fn late_by() -> Duration {
    time::now().since(deadline())
}

/// What was current before, which is restored when this is dropped.
#[must_use = "it is left at once"]
pub(crate) struct Entered {
    before: Context,
}

/// Makes a deadline current, unless there is an earlier one.
#[inline(always)]
pub(crate) fn enter(deadline: Timestamp) -> Entered {
    enter_at(deadline, UNREAD)
}

/// The same, when the clock has just been read.
#[inline(always)]
pub(crate) fn enter_at(deadline: Timestamp, read: Timestamp) -> Entered {
    let before = CURRENT.get();
    // A reading of the clock that serves the earlier one goes on doing so.
    if deadline < before.deadline {
        CURRENT.set(Context { deadline, read });
    }
    Entered { before }
}

/// Leaves every deadline behind.
#[inline(always)]
pub(crate) fn shield() -> Entered {
    let before = CURRENT.replace(Context::NONE);
    Entered { before }
}

impl Drop for Entered {
    #[inline(always)]
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

#[cfg(test)]
mod tests;
