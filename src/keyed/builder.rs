use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use super::handle::Keyed;
use super::kind::KeyedHandle;
use super::kind::sealed::KeyedHandleKind;
use super::label::Label;
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};

/// The settings of a [`Keyed`]. Made by [`CircuitBreakerBuilder::keyed`](crate::circuit_breaker::CircuitBreakerBuilder::keyed) and
/// [`BulkheadBuilder::keyed`](crate::bulkhead::BulkheadBuilder::keyed); nothing is checked before [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct KeyedBuilder<K, H: KeyedHandle> {
    template: <H as KeyedHandleKind>::Builder,
    idle: Duration,
    max: u32,
    keys: PhantomData<fn(K)>,
}

impl<K, H: KeyedHandle> Clone for KeyedBuilder<K, H> {
    fn clone(&self) -> KeyedBuilder<K, H> {
        KeyedBuilder { template: self.template.clone(), keys: PhantomData, ..*self }
    }
}

impl<K, H: KeyedHandle> KeyedBuilder<K, H> {
    pub(crate) fn new(template: <H as KeyedHandleKind>::Builder) -> KeyedBuilder<K, H> {
        KeyedBuilder { template, idle: Duration::from_secs(600), max: 1_000, keys: PhantomData }
    }

    /// Forgets a handle that nobody has used for so long, at the earliest; [the module](super) says which are never
    /// forgotten. More than zero; 10 minutes if not set. A time too long to be told is without end.
    pub fn idle(mut self, time: Duration) -> KeyedBuilder<K, H> {
        self.idle = time;
        self
    }

    /// Keeps so many handles at most. From 1 to 1,000,000; 1,000 if not set.
    ///
    /// Let it be more than the keys that are in use within a few minutes: a circuit that has to leave its place to another
    /// key takes the failures with it that it has counted.
    pub fn max(mut self, handles: u32) -> KeyedBuilder<K, H> {
        self.max = handles;
        self
    }

    /// Checks the settings. Nothing about settings fails later, for no key.
    ///
    /// The handle of a key is called `family[key]`, after the name of the template and the key as it is displayed: its
    /// first 64 bytes, with control characters replaced.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule; those of the template included.
    pub fn build(self) -> Result<Keyed<K, H>, ConfigError>
    where
        K: Display,
    {
        self.finish(Label::display())
    }

    /// As [`build`](Self::build), with names of your own in the brackets: for keys that cannot be displayed, or should
    /// not stand in logs and metrics as they are.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_labelled<T: Display>(
        self,
        label: impl Fn(&K) -> T + Send + Sync + 'static,
    ) -> Result<Keyed<K, H>, ConfigError> {
        self.finish(Label::new(label))
    }

    fn finish(self, label: Label<K>) -> Result<Keyed<K, H>, ConfigError> {
        let (name, template) = H::check(self.template)?;
        let family = Subject::named("keyed", &name);
        family.time("idle", self.idle)?;
        family.count("max", self.max, Most::MILLION)?;
        Ok(Keyed::new(name, template, label, self.idle, self.max))
    }
}
