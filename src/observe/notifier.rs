use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use crate::error::one_line::{OneLine, OneLineDebug};
use crate::observe;
use crate::observe::event::Event;
use crate::observe::observer::Observer;
use crate::observe::tracing::TracingObserver;
use crate::rt::panic::{caught, log_guarded};

/// The observer of a handle: the default one, or [`TracingObserver`], unless another was given.
#[derive(Clone, Default)]
pub(crate) struct Notifier {
    observer: Option<Arc<dyn Observer>>,
    wants_calls: bool,
    /// Whether somebody named it for this handle.
    given: bool,
}

/// Whatever an observer's panic leaves behind is the observer's own: it is caught here, and nothing of ours is borrowed.
impl UnwindSafe for Notifier {}
impl RefUnwindSafe for Notifier {}

impl Notifier {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Notifier {
        Notifier { given: true, ..Notifier::unnamed(observer) }
    }

    /// For handles that name nobody.
    pub(crate) fn unnamed(observer: Arc<dyn Observer>) -> Notifier {
        let wants_calls = observer.wants_calls();
        Notifier { observer: Some(observer), wants_calls, given: false }
    }

    /// The default observer, where there is one and none was given. For a builder's last step.
    pub(crate) fn or_default(self) -> Notifier {
        match self.missing() {
            Some(default) => default.clone(),
            None => self,
        }
    }

    /// What [`Notifier::or_default`] would take in place of this.
    pub(crate) fn missing(&self) -> Option<&'static Notifier> {
        if self.observer.is_none() { observe::default() } else { None }
    }

    /// Whether it is told of every call.
    #[inline]
    pub(crate) fn wants_calls(&self) -> bool {
        self.wants_calls
    }

    /// Whether an observer was given.
    pub(crate) fn is_set(&self) -> bool {
        self.given
    }

    /// Whether anybody would hear of what is only worth a `debug`; asked before an event is made of it.
    #[inline]
    pub(crate) fn hears_debug(&self) -> bool {
        let loudest = STATIC_MAX_LEVEL.min(LevelFilter::current());
        self.observer.is_some() || loudest >= LevelFilter::DEBUG
    }

    /// Tells what is only for those who want calls.
    #[inline]
    pub(crate) fn notify_of_calls<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if self.wants_calls {
            self.notify(&event());
        }
    }

    pub(crate) fn notify(&self, event: &Event<'_>) {
        match &self.observer {
            None => notify_guarded(&TracingObserver, event),
            Some(observer) => notify_guarded(&**observer, event),
        }
    }
}

/// A panic must not become the caller's, who may be in the middle of unwinding already.
pub(crate) fn notify_guarded(observer: &dyn Observer, event: &Event<'_>) {
    if let Err(panic) = caught(|| observer.on_event(event)) {
        let (event, panic) = (OneLineDebug(event), OneLine(&panic));
        log_guarded(|| tracing::error!(target: "seaworthy::observer", %event, %panic, "an observer panicked"));
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.observer.is_some() { "an observer" } else { "tracing" })
    }
}
