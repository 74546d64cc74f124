use std::fmt;

use super::Event;
use crate::name::Name;
use crate::observe::interest::Interest;

/// An event of something outside of this crate, a leader election or a queue for instance, that is told to the same
/// observers.
///
/// [`TracingObserver`](crate::TracingObserver) logs it, and `MetricsObserver` counts it. Tell it with a
/// [`Notifier`](crate::observe::Notifier):
///
/// ```
/// use seaworthy::observe::{ExtensionEvent, Interest, Notifier, Severity};
/// use seaworthy::{Event, Name};
/// use std::fmt::Display;
///
/// #[derive(Debug)]
/// struct LeaseLost<'a> {
///     name: &'a Name,
///     term: u64,
/// }
///
/// impl ExtensionEvent for LeaseLost<'_> {
///     fn component(&self) -> &'static str {
///         "leader"
///     }
///
///     fn name(&self) -> Option<&Name> {
///         Some(self.name)
///     }
///
///     fn kind(&self) -> &'static str {
///         "lease_lost"
///     }
///
///     fn severity(&self) -> Severity {
///         Severity::Warn
///     }
///
///     fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn Display)) {
///         field("term", &self.term);
///     }
/// }
///
/// let notifier = Notifier::new(|event: &Event<'_>| {
///     if let Event::Extension(event) = event {
///         println!("{}: {}", event.component(), event.kind()); // leader: lease_lost
///     }
/// });
/// let lost = LeaseLost { name: &Name::from("billing"), term: 7 };
/// if notifier.interest() >= lost.interest() {
///     notifier.notify(Event::Extension(&lost));
/// }
/// ```
pub trait ExtensionEvent: fmt::Debug {
    /// What tells it, as a word in lower case: `leader`, `queue`. Stands in logs, and is a label of a metric.
    fn component(&self) -> &'static str;

    /// The name of the handle that it is about, if that has one.
    fn name(&self) -> Option<&Name>;

    /// What happened, as words in lower case with underscores: `lease_lost`. Stands in logs, and is a label of a
    /// metric.
    fn kind(&self) -> &'static str;

    /// How much an operator has to care; the level of the line in the log.
    fn severity(&self) -> Severity;

    /// What an observer has to be interested in to be told: a change of state, unless it says otherwise.
    fn interest(&self) -> Interest {
        Interest::Changes
    }

    /// Hands out what else there is to say, one field at a time. Nothing, unless it says otherwise.
    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn fmt::Display)) {
        let _ = field;
    }
}

/// How much an operator has to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// For finding a fault; many a second are normal.
    Debug,
    /// A change that is expected.
    Info,
    /// Something went down, or goes on with less.
    Warn,
    /// Something is lost, or has stopped.
    Error,
}

impl<'a> From<&'a dyn ExtensionEvent> for Event<'a> {
    fn from(event: &'a dyn ExtensionEvent) -> Event<'a> {
        Event::Extension(event)
    }
}
