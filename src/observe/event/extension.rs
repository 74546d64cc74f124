use std::fmt;

use super::measure::Measure;
use crate::name::Name;
use crate::observe::interest::Interest;

/// An event from outside this crate, for instance of a leader election or a queue, that is reported to the same
/// observers.
///
/// [`TracingObserver`](crate::TracingObserver) logs it, and `MetricsObserver` counts it. Report it with a
/// [`Notifier`](crate::observe::Notifier), while no lock is held that an observer could want:
///
/// ```
/// use seaworthy::observe::{ExtensionEvent, Notifier, Severity};
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
/// notifier.notify(Event::Extension(&lost));
/// ```
pub trait ExtensionEvent: fmt::Debug {
    /// What reports it, as one lower-case word: `leader`, `queue`. Appears in logs and as a metric's label.
    fn component(&self) -> &'static str;

    /// The name of the handle it is about, if that has one.
    fn name(&self) -> Option<&Name>;

    /// What happened, as lower-case words with underscores: `lease_lost`. Appears in logs and as a metric's label.
    fn kind(&self) -> &'static str;

    /// How much it matters to an operator; the level of the log line.
    fn severity(&self) -> Severity;

    /// The interest that an observer needs to receive this event; [`Interest::Changes`] by default.
    fn interest(&self) -> Interest {
        Interest::Changes
    }

    /// Passes everything else worth reporting to `field`, one field at a time. Nothing by default.
    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn fmt::Display)) {
        let _ = field;
    }

    /// Passes what the event gives to metrics of its own to `measure`, one value at a time: see
    /// [`ExtensionMetric`](super::ExtensionMetric). Nothing by default; the event itself is counted in any case.
    fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
        let _ = measure;
    }
}

/// How much an event matters to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// For finding faults; many per second are normal.
    Debug,
    /// An expected change.
    Info,
    /// Something went down, or continues with less.
    Warn,
    /// Something is lost or has stopped.
    Error,
}
