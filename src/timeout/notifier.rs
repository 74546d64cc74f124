use std::sync::Arc;
use std::time::Duration;

use crate::error::check::Subject;
use crate::error::{ConfigError, DeadlineStage, Rejected};
use crate::name::Name;
use crate::observe::event::{DeadlineEvent, Limit, TimeoutEvent};
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::observe::source::{ObserverCache, Source};

/// Reports what was given up, because of a time limit or of the deadline of a call. Every call holds one, so it is
/// empty unless a name or an observer was set, and then it is a single reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeoutNotifier(Option<Arc<Announced>>);

#[derive(Clone, Debug, Default)]
struct Announced {
    name: Option<Name>,
    notifier: Notifier,
    cache: ObserverCache,
}

impl TimeoutNotifier {
    fn set(&mut self) -> &mut Announced {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(crate) fn set_name(&mut self, name: &Name) {
        self.set().name = Some(name.clone());
    }

    pub(crate) fn set_notifier(&mut self, notifier: Notifier) {
        self.set().notifier = notifier;
    }

    pub(crate) fn set_observer(&mut self, observer: impl Observer + 'static) {
        self.set().notifier = Notifier::new(observer);
    }

    /// Adds the default observer if there is one and none was set. For a builder's last step.
    pub(crate) fn or_default_observer(mut self) -> TimeoutNotifier {
        let notifier = self.0.as_ref().map_or_else(Notifier::default, |announced| announced.notifier.clone());
        if let Some(default) = notifier.missing() {
            self.set_notifier(default.clone());
        }
        self
    }

    /// What has this timeout, as a subject with a name or without one.
    pub(crate) fn subject(&self, kind: &'static str) -> Result<Subject<'_>, ConfigError> {
        Subject::checked(kind, self.name())
    }

    pub(crate) fn name(&self) -> Option<&Name> {
        self.0.as_ref()?.name.as_ref()
    }

    /// Reports the timeout, and returns the rejection.
    #[cold]
    pub(crate) fn timed_out(&self, limit: Limit, after: Duration) -> Rejected {
        self.with(|notifier, name, source| {
            notifier.notify(TimeoutEvent::TimedOut { name, source, limit, after });
        });
        Rejected::TimedOut { after: after.into(), timeout: self.name().cloned() }
    }

    /// Reports that a call ended `late` after its deadline, and returns the rejection.
    #[cold]
    pub(crate) fn deadline_exceeded(&self, stage: DeadlineStage, late: Duration) -> Rejected {
        self.with(|notifier, name, source| {
            notifier.notify(DeadlineEvent::Exceeded { name, source, stage, late });
        });
        Rejected::DeadlineExceeded { stage }
    }

    /// Reports how much time a call had left when it arrived, to those who want an event for every call.
    #[inline]
    pub(crate) fn arrived(&self, remaining: Duration) {
        if let Some(Announced { name, notifier, cache }) = self.0.as_deref() {
            let (name, source) = (name.as_ref(), Source::new(None, cache));
            notifier.notify_of_calls(|| DeadlineEvent::Arrived { name, source, remaining });
        }
    }

    pub(crate) fn with(&self, notify: impl FnOnce(&Notifier, Option<&Name>, Source<'_>)) {
        let announced = match &self.0 {
            Some(announced) => announced,
            None => &Announced::default(),
        };
        let Announced { name, notifier, cache } = announced;
        notify(notifier, name.as_ref(), Source::new(None, cache));
    }
}
