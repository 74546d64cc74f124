use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audience::Audience;
use crate::error::check::Subject;
use crate::observe::{ObserverCache, Source};
use crate::{ConfigError, Event, Name, Observer, Rejected};

/// Which time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// The time for the response.
    Response,
    /// The time in which the next frame of a body has to come.
    BodyIdle,
    /// The time for a whole body.
    BodyTotal,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Limit::Response => "response",
            Limit::BodyIdle => "body idle",
            Limit::BodyTotal => "body total",
        })
    }
}

/// Tells when something was given up. Every call holds one, so there is nothing in it unless a name or an observer was
/// asked for, and then one reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announcer(Option<Arc<Announced>>);

#[derive(Clone, Debug, Default)]
struct Announced {
    name: Option<Name>,
    /// The same, as it stands in a rejection, which would be larger with a name.
    text: Option<Arc<str>>,
    audience: Audience,
    cache: ObserverCache,
}

impl Announcer {
    fn set(&mut self) -> &mut Announced {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(crate) fn set_name(&mut self, name: &Name) {
        let text: Arc<str> = Arc::from(name.as_str());
        let set = self.set();
        (set.name, set.text) = (Some(Name::from(Arc::clone(&text))), Some(text));
    }

    pub(crate) fn set_audience(&mut self, audience: Audience) {
        self.set().audience = audience;
    }

    pub(crate) fn set_observer(&mut self, observer: impl Observer + 'static) {
        self.set().audience = Audience::new(Arc::new(observer));
    }

    /// With the default observer, where there is one and none was given. For a builder's last step.
    pub(crate) fn or_default_observer(mut self) -> Announcer {
        let audience = self.0.as_ref().map_or_else(Audience::default, |announced| announced.audience.clone());
        if let Some(default) = audience.missing() {
            self.set_audience(default.clone());
        }
        self
    }

    /// What has it, as a part with a name or without one.
    pub(crate) fn subject(&self, kind: &'static str) -> Result<Subject<'_>, ConfigError> {
        Subject::checked(kind, self.name())
    }

    fn name(&self) -> Option<&Name> {
        self.0.as_ref()?.name.as_ref()
    }

    /// Tells it, and gives the rejection.
    #[cold]
    pub(crate) fn timed_out(&self, limit: Limit, after: Duration) -> Rejected {
        let tell = |Announced { name, audience, cache, .. }: &Announced| {
            audience.tell(&Event::TimedOut { name: name.as_ref(), source: Source::new(None, cache), limit, after });
        };
        match &self.0 {
            Some(announced) => tell(announced),
            None => tell(&Announced::default()),
        }
        Rejected::TimedOut { after, timeout: self.0.as_ref().and_then(|announced| announced.text.clone()) }
    }
}
