use std::fmt;

use serde::de;

/// Where a value is: the keys from the outside to the inside.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    key: &'a str,
}

impl<'a> Path<'a> {
    pub(crate) fn root(key: &'a str) -> Path<'a> {
        Path { parent: None, key }
    }

    pub(crate) fn child(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), key }
    }

    /// The value here breaks a rule.
    pub(crate) fn breaks<E: de::Error>(&self, rule: impl fmt::Display) -> E {
        E::custom(format_args!("{self}: {rule}"))
    }

    /// So does one below, at `field`, which may be a path itself.
    pub(crate) fn breaks_below<E: de::Error>(&self, field: &str, rule: &str) -> E {
        E::custom(format_args!("{self}.{field}: {rule}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        let plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
        if !self.key.is_empty() && self.key.chars().all(plain) {
            f.write_str(self.key)
        } else {
            // As it has to be written in TOML.
            write!(f, "{:?}", self.key)
        }
    }
}
