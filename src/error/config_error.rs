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
///
/// A builder outside this crate refuses a setting with the same type:
///
/// ```
/// use seaworthy::{ConfigError, Name};
/// use std::time::Duration;
///
/// fn checked(name: &Name, lease: Duration) -> Result<Duration, ConfigError> {
///     match lease {
///         Duration::ZERO => {
///             Err(ConfigError::new("ledger", "lease", lease, "must be longer than zero").with_name(name.clone()))
///         }
///         lease => Ok(lease),
///     }
/// }
///
/// let error = checked(&Name::from("orders"), Duration::ZERO).unwrap_err();
/// assert_eq!(error.to_string(), "ledger `orders`: lease is 0ns, must be longer than zero");
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
    /// Refuses `value` for a setting: `kind` is what was being built, such as "ledger"; `field` the setting, named like
    /// its setter; `rule` what the value must be, such as "must be at least 1".
    ///
    /// The value is shown as its `Debug` does, so text is quoted; one that is in words already is given as
    /// `format_args!("{words}")`. It will be printed and logged: never pass a password, nor a URL that may hold one.
    #[must_use]
    pub fn new(kind: &'static str, field: &'static str, value: impl fmt::Debug, rule: &'static str) -> ConfigError {
        ConfigError { kind, name: None, field, value: format!("{value:?}").into(), rule }
    }

    /// Says which one was being built.
    #[must_use]
    pub fn with_name(self, name: impl Into<Name>) -> ConfigError {
        ConfigError { name: Some(name.into()), ..self }
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
