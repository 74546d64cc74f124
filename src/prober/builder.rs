use super::handle::Prober;
use super::resolver::Resolver;
use super::shared::Shared;
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::rt::random::Random;

const MOST_CONCURRENT: Most = Most(10_000, "must not be greater than 10,000");

/// The settings of a [`Prober`]; nothing is checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ProberBuilder {
    max_concurrent: usize,
    notifier: Notifier,
    random: Random,
    resolver: Resolver,
}

impl ProberBuilder {
    pub(super) fn new() -> ProberBuilder {
        ProberBuilder {
            max_concurrent: 32,
            notifier: Notifier::default(),
            random: Random::default(),
            resolver: Resolver::default(),
        }
    }

    /// The most probes that run at a time, including whatever a cancelled probe has left running: a look-up that has
    /// not returned, a command that is being killed. From 1 to 10,000; 32 if not set.
    ///
    /// Any more targets that are due have to wait. Three groups take turns: targets whose last probe ended in time,
    /// those not probed yet, and those whose last probe timed out; the last group gets at most half of the room, so
    /// that targets that hang hold up no others for long. Within a group the target that would be a whole interval late
    /// first goes first.
    pub fn max_concurrent(mut self, probes: usize) -> ProberBuilder {
        self.max_concurrent = probes;
        self
    }

    /// Looks up hosts with this resolver, instead of [the system's](Resolver::system).
    pub fn resolver(mut self, resolver: Resolver) -> ProberBuilder {
        self.resolver = resolver;
        self
    }

    /// Notifies `observer`, instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> ProberBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Draws jitter from a generator with this seed, so that a test is repeatable.
    pub fn random_seed(mut self, seed: u64) -> ProberBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Checks the settings and builds a prober without targets.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<Prober, ConfigError> {
        let most = u32::try_from(self.max_concurrent).unwrap_or(u32::MAX);
        Subject::of("prober").count("max_concurrent", most, MOST_CONCURRENT)?;
        let ProberBuilder { max_concurrent, notifier, random, resolver } = self;
        Ok(Prober::new(Shared::new(max_concurrent, notifier.or_default(), random, resolver)))
    }
}
