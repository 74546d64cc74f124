use std::time::Duration;

use crate::machine::circuit_breaker::body_scope::BodyRules;

/// What applies to the bodies of responses, which only HTTP has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodySettings {
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) rules: BodyRules,
}
