use crate::Name;
use crate::audience::Audience;
use crate::machine::settings::Settings;
use crate::random::Random;

/// What circuits of one template share.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub(super) settings: Settings,
    pub(super) random: Random,
    pub(super) audience: Audience,
    /// Whose keys these circuits are of.
    pub(super) family: Option<Name>,
}

impl Config {
    /// Whether somebody will want to know how long a call took.
    pub(super) fn measures(&self) -> bool {
        self.settings.measures() || self.audience.wants_calls()
    }
}
