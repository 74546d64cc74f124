use std::sync::Arc;

use super::core::Core;
use super::handle::Prober;
use crate::audience::Audience;
use crate::error::check::{Most, Subject};
use crate::random::Random;
use crate::{ConfigError, Observer};

/// The settings of a [`Prober`]; nothing is checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ProberBuilder {
    max_concurrent: usize,
    audience: Audience,
    random: Random,
}

impl ProberBuilder {
    pub(super) fn new() -> ProberBuilder {
        ProberBuilder { max_concurrent: 32, audience: Audience::default(), random: Random::default() }
    }

    /// Runs so many probes at a time; targets that are due beyond that wait, and the one that was due first goes first.
    /// From 1 to 10,000; 32 if not set.
    pub fn max_concurrent(mut self, probes: usize) -> ProberBuilder {
        self.max_concurrent = probes;
        self
    }

    /// Tells `observer` what happens, in place of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> ProberBuilder {
        self.audience = Audience::new(Arc::new(observer));
        self
    }

    /// Draws jitter from a generator with this seed, so that a test can repeat it.
    pub fn random_seed(mut self, seed: u64) -> ProberBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Checks the settings and makes a prober without targets.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<Prober, ConfigError> {
        let most = u32::try_from(self.max_concurrent).unwrap_or(u32::MAX);
        Subject::of("prober").count("max_concurrent", most, Most::TEN_THOUSAND)?;
        Ok(Prober::new(Core::new(self.max_concurrent, self.audience.or_default(), self.random)))
    }
}
