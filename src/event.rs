use std::fmt;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use crate::machine::report::{Cause, Counts, State};
use crate::machine::retry::StopReason;
use crate::timeout::Limit;
use crate::{Name, TracingObserver};

/// Something that happened, told to an [`Observer`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A circuit changed its state. Told exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    CircuitTransition {
        /// The circuit.
        name: &'a Name,
        /// The state that it left.
        from: State,
        /// The state that it is in; never the same.
        to: State,
        /// Grows with every change of this circuit, so that changes told by two threads can be put in order.
        sequence: u64,
        /// Why.
        cause: Cause,
        /// What had been counted in the state that it left.
        counts: Counts,
    },
    /// A circuit rejected a call.
    #[non_exhaustive]
    CircuitRejected {
        /// The circuit.
        name: &'a Name,
        /// The open time that is left, where it is known.
        retry_after: Option<Duration>,
    },
    /// A circuit that only observes would have opened. Told once, until no rule is broken any more.
    #[non_exhaustive]
    CircuitWouldHaveOpened {
        /// The circuit.
        name: &'a Name,
        /// The rule that is broken.
        cause: Cause,
        /// What has been counted.
        counts: Counts,
    },
    /// A bulkhead rejected a call.
    #[non_exhaustive]
    BulkheadRejected {
        /// The bulkhead.
        name: &'a Name,
        /// The time that the call waited for a slot in vain. Absent if it was rejected at once.
        waited: Option<Duration>,
    },
    /// A timeout gave something up. Told after the inner future or body was dropped.
    #[non_exhaustive]
    TimedOut {
        /// The timeout, if it has a name.
        name: Option<&'a Name>,
        /// Which time was over.
        limit: Limit,
        /// How long it was.
        after: Duration,
    },
    /// An attempt failed and will be made again, after a wait. Told before the wait.
    #[non_exhaustive]
    Retried {
        /// The retry policy.
        name: &'a Name,
        /// Which attempt failed; the first is 1.
        attempt: u32,
        /// The wait before the next one.
        delay: Duration,
        /// What it failed with; absent if it was a response that is retried.
        error: Option<ErrorText<'a>>,
    },
    /// A request is not retried any more, and its caller gets the last result. Not told of a request whose first
    /// attempt succeeded.
    #[non_exhaustive]
    RetryStopped {
        /// The retry policy.
        name: &'a Name,
        /// How many attempts were made, the first included.
        attempts: u32,
        /// Why.
        reason: StopReason,
        /// The error that the caller gets; absent if it is a response.
        error: Option<ErrorText<'a>>,
    },
    /// There is no room for the handle of another key, and none of those that were looked at can be spared. Told once,
    /// until there is room again.
    #[non_exhaustive]
    KeysExhausted {
        /// The family of handles.
        name: &'a Name,
        /// How many handles it may have.
        max: u32,
    },
    /// A call failed and is answered in another way. Told before that begins.
    #[non_exhaustive]
    FellBack {
        /// The fallback.
        name: &'a Name,
        /// What the call failed with.
        error: ErrorText<'a>,
    },
}

/// An error, in words. `Display` and `Debug` are the error's own: some print as an empty string with the one and say
/// everything with the other.
#[derive(Clone, Copy)]
pub struct ErrorText<'a> {
    display: &'a dyn fmt::Display,
    debug: &'a dyn fmt::Debug,
}

/// It only shows the error, which is the caller's own.
impl UnwindSafe for ErrorText<'_> {}
impl RefUnwindSafe for ErrorText<'_> {}

impl<'a> ErrorText<'a> {
    pub(crate) fn new<E: fmt::Display + fmt::Debug>(error: &'a E) -> ErrorText<'a> {
        ErrorText { display: error, debug: error }
    }
}

impl fmt::Display for ErrorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display.fmt(f)
    }
}

impl fmt::Debug for ErrorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug.fmt(f)
    }
}

/// Is told what happens, by the thread that made it happen and outside of any lock: it may call any method of the
/// handle that the event is about.
///
/// It runs on the path of a call, so it should be quick. A panic in it is caught and logged; the call goes on.
///
/// Any closure that takes an [`&Event`](Event) is an observer:
///
/// ```
/// use seaworthy::{Circuit, Event};
///
/// let circuit = Circuit::builder("payments")
///     .observer(|event: &Event<'_>| {
///         if let Event::CircuitTransition { name, from, to, .. } = event {
///             println!("{name}: {from} -> {to}");
///         }
///     })
///     .build()?;
/// circuit.force_open(); // payments: closed -> open
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// The observer of a handle: [`TracingObserver`] unless another was given.
#[derive(Clone, Default)]
pub(crate) struct Audience(Option<Arc<dyn Observer>>);

/// Whatever an observer's panic leaves behind is the observer's own: it is caught here, and nothing of ours is borrowed.
impl UnwindSafe for Audience {}
impl RefUnwindSafe for Audience {}

impl Audience {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Audience {
        Audience(Some(observer))
    }

    /// Whether anybody would hear of what is only worth a `debug`; asked before an event is made of it.
    #[inline]
    pub(crate) fn hears_debug(&self) -> bool {
        let loudest = STATIC_MAX_LEVEL.min(LevelFilter::current());
        self.0.is_some() || loudest >= LevelFilter::DEBUG
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        match &self.0 {
            None => TracingObserver.on_event(event),
            Some(observer) => tell_guarded(&**observer, event),
        }
    }
}

/// A panic must not become the caller's, who may be in the middle of unwinding already.
fn tell_guarded(observer: &dyn Observer, event: &Event<'_>) {
    if catch_unwind(AssertUnwindSafe(|| observer.on_event(event))).is_err() {
        tracing::error!(target: "seaworthy::observer", ?event, "an observer panicked");
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "an observer" } else { "tracing" })
    }
}
