use std::borrow::Cow;

use crate::error::ConfigError;

/// A setting of a policy that cannot be used: where it is, and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct PolicyError {
    pub(super) path: String,
    pub(super) rule: Cow<'static, str>,
}

impl PolicyError {
    pub(super) fn new(path: impl Into<String>, rule: impl Into<Cow<'static, str>>) -> PolicyError {
        PolicyError { path: path.into(), rule: rule.into() }
    }

    /// What is wrong in a part of a policy.
    pub(super) fn in_part(part: &str, error: &ConfigError) -> PolicyError {
        PolicyError::new(format!("{part}.{}", error.field()), error.rule())
    }

    /// The path of the setting, from the outside in, as in `circuit_breaker.open_for`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the value must be.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}
