use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use ::tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use super::default;
use super::event::Event;
use super::interest::Interest;
use super::observer::Observer;
use super::tracing::TracingObserver;
use crate::error::one_line::{OneLine, OneLineDebug};
use crate::rt::panic::{caught, log_guarded};

/// Tells an observer: the one that it was made with, or else the [default](super::set_default).
///
/// Each handle of this crate has one. What is outside of it, and wants to tell the same observers, has one too, and
/// tells an [`ExtensionEvent`](super::ExtensionEvent).
#[derive(Clone, Default)]
pub struct Notifier {
    observer: Option<Arc<dyn Observer>>,
    interest: Interest,
    /// Whether somebody named the observer for this handle.
    given: bool,
}

/// Whatever an observer's panic leaves behind is the observer's own: it is caught here, and nothing of ours is
/// borrowed.
impl UnwindSafe for Notifier {}
impl RefUnwindSafe for Notifier {}

impl Notifier {
    /// Tells `observer`, which is asked for its interest once, here.
    pub fn new(observer: impl Observer + 'static) -> Notifier {
        Notifier { given: true, ..Notifier::unnamed(Arc::new(observer)) }
    }

    /// For handles that name nobody.
    pub(super) fn unnamed(observer: Arc<dyn Observer>) -> Notifier {
        let interest = observer.interest();
        Notifier { observer: Some(observer), interest, given: false }
    }

    /// This one, or the [default](super::set_default) if it was made without an observer and there is one. For the last
    /// step of a builder: a default that is set later is not heard of.
    #[must_use]
    pub fn or_default(self) -> Notifier {
        match self.missing() {
            Some(default) => default.clone(),
            None => self,
        }
    }

    /// What [`Notifier::or_default`] would take in place of this.
    pub(crate) fn missing(&self) -> Option<&'static Notifier> {
        if self.observer.is_none() { default::default() } else { None }
    }

    /// What the observer is interested in. It is worth asking before an event is made that costs something.
    #[inline]
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.interest
    }

    /// Whether the observer is told of every call.
    #[inline]
    pub(crate) fn hears_calls(&self) -> bool {
        self.interest >= Interest::Calls
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

    /// Tells what is only for those who are interested in calls.
    #[inline]
    pub(crate) fn notify_of_calls<'a, E: Into<Event<'a>>>(&self, event: impl FnOnce() -> E) {
        if self.hears_calls() {
            self.notify(event());
        }
    }

    /// Tells the observer, on this thread. A panic of it is caught and logged.
    ///
    /// Whether the observer is [interested](Notifier::interest) is for the caller to ask.
    pub fn notify<'a>(&self, event: impl Into<Event<'a>>) {
        let event = &event.into();
        match &self.observer {
            None => notify_guarded(&TracingObserver, event),
            Some(observer) => notify_guarded(&**observer, event),
        }
    }
}

/// A panic must not become the caller's, who may be in the middle of unwinding already.
pub(super) fn notify_guarded(observer: &dyn Observer, event: &Event<'_>) {
    if let Err(panic) = caught(|| observer.on_event(event)) {
        let (event, panic) = (OneLineDebug(event), OneLine(&panic));
        log_guarded(|| ::tracing::error!(target: "seaworthy::observer", %event, %panic, "an observer panicked"));
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.observer.is_some() { "an observer" } else { "tracing" })
    }
}
