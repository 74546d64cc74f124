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

/// Passes events to an observer: the one it was made with, the [default](super::set_default) after
/// [`or_default`](Notifier::or_default), or else [`TracingObserver`].
///
/// Each handle of this crate has one. Code outside this crate that reports to the same observers also has one, and
/// passes it an [`ExtensionEvent`](super::ExtensionEvent). Its builder has a setter like those of this crate:
///
/// ```
/// use seaworthy::Observer;
/// use seaworthy::observe::{Interest, Notifier};
///
/// #[derive(Clone, Debug, Default)]
/// pub struct HarbourBuilder {
///     notifier: Notifier,
/// }
///
/// impl HarbourBuilder {
///     /// Reports to `observer` instead of the [default](seaworthy::observe).
///     pub fn observer(mut self, observer: impl Observer + 'static) -> HarbourBuilder {
///         self.notifier = Notifier::new(observer);
///         self
///     }
///
///     pub fn build(self) -> Harbour {
///         let notifier = self.notifier.or_default();
///         Harbour { hears_calls: notifier.interest() >= Interest::Calls, notifier }
///     }
/// }
///
/// pub struct Harbour {
///     notifier: Notifier,
///     /// Whether what every call costs for its events is worth it.
///     hears_calls: bool,
/// }
/// # let harbour = HarbourBuilder::default().observer(|_: &seaworthy::Event<'_>| {}).build();
/// # assert!(!harbour.hears_calls && format!("{:?}", harbour.notifier) == "an observer");
/// ```
#[derive(Clone, Default)]
pub struct Notifier {
    observer: Option<Arc<dyn Observer>>,
    interest: Interest,
    /// Whether the observer was given for this handle, rather than set as the default.
    given: bool,
}

/// A panic in an observer is caught here, while nothing of this crate's is borrowed; the state it leaves behind is the
/// observer's own.
impl UnwindSafe for Notifier {}
impl RefUnwindSafe for Notifier {}

impl Notifier {
    /// Passes events to `observer`, which is asked for its interest once, here.
    pub fn new(observer: impl Observer + 'static) -> Notifier {
        Notifier { given: true, ..Notifier::unnamed(Arc::new(observer)) }
    }

    /// For handles that were given no observer.
    pub(super) fn unnamed(observer: Arc<dyn Observer>) -> Notifier {
        let interest = observer.interest();
        Notifier { observer: Some(observer), interest, given: false }
    }

    /// This one; or the [default](super::set_default), if this was made without an observer and there is a default. For
    /// the last step of a builder: a default that is set later has no effect on it.
    #[must_use]
    pub fn or_default(self) -> Notifier {
        match self.missing() {
            Some(default) => default.clone(),
            None => self,
        }
    }

    /// What [`Notifier::or_default`] would use instead of this.
    pub(crate) fn missing(&self) -> Option<&'static Notifier> {
        if self.observer.is_none() { default::default() } else { None }
    }

    /// What the observer is interested in. Worth asking before making an event that is costly.
    #[inline]
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.interest
    }

    /// Whether the observer is interested in every call.
    #[inline]
    pub(crate) fn hears_calls(&self) -> bool {
        self.interest >= Interest::Calls
    }

    /// Whether an observer was given.
    pub(crate) fn is_set(&self) -> bool {
        self.given
    }

    /// Whether an event logged at `debug` would reach an observer or a log; asked before the event is made.
    #[inline]
    pub(crate) fn hears_debug(&self) -> bool {
        let loudest = STATIC_MAX_LEVEL.min(LevelFilter::current());
        self.observer.is_some() || loudest >= LevelFilter::DEBUG
    }

    /// Makes and passes on an event only if the observer is interested in calls.
    #[inline]
    pub(crate) fn notify_of_calls<'a, E: Into<Event<'a>>>(&self, event: impl FnOnce() -> E) {
        if self.hears_calls() {
            self.notify_event(&event().into());
        }
    }

    /// Passes an event to the observer, on this thread, if it is [interested](Notifier::interest). A panic in the
    /// observer is caught and logged.
    #[inline]
    pub fn notify<'a>(&self, event: impl Into<Event<'a>>) {
        let event = event.into();
        if self.interest >= event.interest() {
            self.notify_event(&event);
        }
    }

    fn notify_event(&self, event: &Event<'_>) {
        match &self.observer {
            None => notify_guarded(&TracingObserver, event),
            Some(observer) => notify_guarded(&**observer, event),
        }
    }
}

/// Keeps a panic in the observer from the caller, which may already be unwinding.
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
