use crate::machine::circuit_breaker::settings::CircuitSettings;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::rt::random::Random;

/// What the circuit breakers of one template share.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreakerConfig {
    pub(super) settings: CircuitSettings,
    pub(super) random: Random,
    pub(super) notifier: Notifier,
    /// The keyed family that these circuit breakers belong to.
    pub(super) family: Option<Name>,
}

impl CircuitBreakerConfig {
    /// Whether the duration of a call matters to anyone.
    pub(super) fn measures(&self) -> bool {
        self.settings.measures() || self.notifier.hears_calls()
    }
}
