use crate::machine::circuit_breaker::settings::CircuitSettings;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::rt::random::Random;

/// What circuits of one template share.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreakerConfig {
    pub(super) settings: CircuitSettings,
    pub(super) random: Random,
    pub(super) notifier: Notifier,
    /// Whose keys these circuits are of.
    pub(super) family: Option<Name>,
}

impl CircuitBreakerConfig {
    /// Whether somebody will want to know how long a call took.
    pub(super) fn measures(&self) -> bool {
        self.settings.measures() || self.notifier.wants_calls()
    }
}
