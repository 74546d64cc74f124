use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use super::handle::Keyed;
use super::kind::KeyedHandle;
use super::kind::sealed::KeyedHandleKind;
use super::label::Label;
use crate::bulkhead::BulkheadBuilder;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::CircuitBreakerBuilder;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};

/// The settings of a [`Keyed`]. Made by
/// [`CircuitBreakerBuilder::keyed`](crate::circuit_breaker::CircuitBreakerBuilder::keyed) and
/// [`BulkheadBuilder::keyed`](crate::bulkhead::BulkheadBuilder::keyed); nothing is checked before
/// [`build`](Self::build).
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

    /// Evicts a handle once it has been unused for at least this long; [the module](super) says which are never
    /// evicted. More than zero; 10 minutes if not set. With a duration the clock cannot represent, no handle is evicted
    /// for being idle.
    pub fn idle(mut self, time: Duration) -> KeyedBuilder<K, H> {
        self.idle = time;
        self
    }

    /// Keeps at most this many handles. From 1 to 1,000,000; 1,000 if not set.
    ///
    /// It should exceed the number of keys in use within a few minutes: a circuit breaker that is evicted for another
    /// key loses the failures it has counted.
    pub fn max(mut self, handles: u32) -> KeyedBuilder<K, H> {
        self.max = handles;
        self
    }

    /// Checks the settings and builds the family. Once it is built, no setting can fail for any key.
    ///
    /// The handle of a key is named `family[key]`, after the template and the key as displayed: its first 64 bytes,
    /// with control characters replaced.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and which rule; this includes the settings of the template.
    pub fn build(self) -> Result<Keyed<K, H>, ConfigError>
    where
        K: Display,
    {
        self.finish(Label::display())
    }

    /// Like [`build`](Self::build), with custom text in the brackets: for keys that cannot be displayed, or that should
    /// not appear in logs and metrics as they are.
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

impl CircuitBreakerBuilder {
    /// Builds a family of circuit breakers with these settings, one per key, each created the first time its key is
    /// used: see [`keyed`](crate::keyed). The name becomes the family's.
    pub fn keyed<K>(self) -> KeyedBuilder<K, CircuitBreaker> {
        KeyedBuilder::new(self)
    }
}

impl BulkheadBuilder {
    /// Builds a family of bulkheads with these settings, one per key, each created the first time its key is used: see
    /// [`keyed`](crate::keyed). The name becomes the family's.
    pub fn keyed<K>(self) -> KeyedBuilder<K, Bulkhead> {
        KeyedBuilder::new(self)
    }
}
