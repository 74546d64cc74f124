use std::fmt::Display;

use serde::de::{DeserializeSeed, Deserializer};

use super::path::Path;

/// A value that has to obey a rule, or to agree with one read before it. A violation is reported while the format still
/// knows where the value is.
pub(crate) struct Agree<'a, S, F> {
    pub(crate) at: Path<'a>,
    pub(crate) seed: S,
    /// Gives the rule that the value breaks, if any.
    pub(crate) broken: F,
}

impl<'de, S, F, R> DeserializeSeed<'de> for Agree<'_, S, F>
where
    S: DeserializeSeed<'de>,
    F: FnOnce(&S::Value) -> Option<R>,
    R: Display,
{
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let value = self.seed.deserialize(deserializer)?;
        match (self.broken)(&value) {
            Some(rule) => Err(self.at.breaks(rule)),
            None => Ok(value),
        }
    }
}
