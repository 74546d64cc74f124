use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audience::Audience;
use crate::{ConfigError, Event, Name, Observer};

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
    audience: Audience,
}

impl Announcer {
    fn set(&mut self) -> &mut Announced {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(crate) fn set_name(&mut self, name: Name) {
        self.set().name = Some(name);
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

    /// Finds a name that is empty.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.name() {
            Some(name) if name.is_empty() => Err(ConfigError::new("name", "must not be empty")),
            _ => Ok(()),
        }
    }

    fn name(&self) -> Option<&Name> {
        self.0.as_ref()?.name.as_ref()
    }

    #[cold]
    pub(crate) fn timed_out(&self, limit: Limit, after: Duration) {
        let event = Event::TimedOut { name: self.name(), limit, after };
        match &self.0 {
            Some(announced) => announced.audience.tell(&event),
            None => Audience::default().tell(&event),
        }
    }
}
