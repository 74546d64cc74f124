use std::sync::Arc;
use std::time::Duration;

use crate::error::check::Subject;
use crate::error::{ConfigError, Rejected};
use crate::name::Name;
use crate::observe::event::{Limit, TimeoutEvent};
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::observe::source::{ObserverCache, Source};

/// Reports what was given up. Every call holds one, so it is empty unless a name or an observer was set, and then it is
/// a single reference.
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

    pub(super) fn name(&self) -> Option<&Name> {
        self.0.as_ref()?.name.as_ref()
    }

    /// Reports the timeout, and returns the rejection.
    #[cold]
    pub(crate) fn timed_out(&self, limit: Limit, after: Duration) -> Rejected {
        let notify = |Announced { name, notifier, cache }: &Announced| {
            notifier.notify(TimeoutEvent::TimedOut {
                name: name.as_ref(),
                source: Source::new(None, cache),
                limit,
                after,
            });
        };
        match &self.0 {
            Some(announced) => notify(announced),
            None => notify(&Announced::default()),
        }
        Rejected::TimedOut { after: after.into(), timeout: self.name().cloned() }
    }
}
