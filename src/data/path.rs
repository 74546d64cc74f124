use std::fmt;

use serde::de;

/// Where a value is: the keys from the outermost to the innermost.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    /// None for the outermost table, which has no key.
    key: Option<&'a str>,
}

#[cfg(feature = "prober")]
impl Path<'static> {
    /// For settings that are not under a key of this crate.
    pub(crate) const OUTERMOST: Path<'static> = Path { parent: None, key: None };
}

impl<'a> Path<'a> {
    pub(crate) fn root(key: &'a str) -> Path<'a> {
        Path { parent: None, key: Some(key) }
    }

    pub(crate) fn child(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), key: Some(key) }
    }

    /// An error: the value at this path breaks a rule.
    pub(crate) fn breaks<E: de::Error>(&self, rule: impl fmt::Display) -> E {
        E::custom(format_args!("{self}: {rule}"))
    }

    /// An error: the value at `field` below this path breaks a rule. `field` may be a path itself.
    pub(crate) fn breaks_below<E: de::Error>(&self, field: &str, rule: &str) -> E {
        match self.key {
            Some(_) => E::custom(format_args!("{self}.{field}: {rule}")),
            None => E::custom(format_args!("{field}: {rule}")),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(key) = self.key else { return f.write_str("the settings") };
        if let Some(parent) = self.parent.filter(|parent| parent.key.is_some()) {
            write!(f, "{parent}.")?;
        }
        let one_line = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
        if !key.is_empty() && key.chars().all(one_line) {
            f.write_str(key)
        } else {
            // The way it has to be written in TOML.
            write!(f, "{key:?}")
        }
    }
}
