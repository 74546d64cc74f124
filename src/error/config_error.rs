use std::fmt;

use crate::error::one_line::OneLine;
use crate::name::Name;

/// A setting that cannot be used: what was being built, which setting, its value, and the rule it breaks.
///
/// ```
/// use seaworthy::CircuitBreaker;
///
/// let error = CircuitBreaker::builder("payments").consecutive_failures(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "circuit breaker `payments`: consecutive_failures is 0, must be at least 1");
/// assert_eq!((error.field(), error.value(), error.rule()), ("consecutive_failures", "0", "must be at least 1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    kind: &'static str,
    name: Option<Name>,
    field: &'static str,
    value: Box<str>,
    rule: &'static str,
}

impl ConfigError {
    pub(super) fn new(
        kind: &'static str,
        name: Option<Name>,
        field: &'static str,
        value: Box<str>,
        rule: &'static str,
    ) -> ConfigError {
        ConfigError { kind, name, field, value, rule }
    }

    /// What was being built, such as "circuit breaker".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The name it was given, if any.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The setting, named like its setter.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The value. Text is quoted.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What the value must be.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let Some(name) = &self.name {
            write!(f, " `{}`", OneLine(name))?;
        }
        write!(f, ": {} is {}, {}", self.field, self.value, self.rule)
    }
}

impl std::error::Error for ConfigError {}
