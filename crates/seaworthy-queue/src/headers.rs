use std::fmt;

use seaworthy::ConfigError;

use crate::length::Length;

const MOST: usize = 32;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 1_024;

/// What travels with a job beside its body: `traceparent`, for instance. At most 32.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Box<str>, Box<str>)>);

impl Headers {
    /// Adds a header, or replaces the one of this name.
    ///
    /// # Errors
    /// If there are 32 already, the name is not 1 to 64 bytes, or the value is longer than 1 KiB; neither may have
    /// control characters. Nothing has changed then.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let is_plain = |text: &str| !text.chars().any(char::is_control);
        if !(1..=LONGEST_NAME).contains(&name.len()) || !is_plain(name) {
            let rule = "must have a name of 1 to 64 bytes without control characters";
            return Err(ConfigError::new("job", "header", name, rule));
        }
        if value.len() > LONGEST_VALUE || !is_plain(value) {
            let rule = "must have a value of at most 1 KiB without control characters";
            return Err(ConfigError::new("job", "header", name, rule));
        }
        if let Some((_, old)) = self.0.iter_mut().find(|(existing, _)| **existing == *name) {
            *old = value.into();
            return Ok(());
        }
        if self.0.len() == MOST {
            return Err(ConfigError::new("job", "header", name, "must be one of at most 32"));
        }
        self.0.push((name.into(), value.into()));
        Ok(())
    }

    /// For a header of our own, which may be one more than the most.
    pub(crate) fn count_up(&mut self, name: &str) {
        let next = self.get(name).and_then(|count| count.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
        self.0.retain(|(existing, _)| **existing != *name);
        self.0.push((name.into(), next.to_string().into()));
    }

    /// As a store has kept them, the one that is one more than the most, too.
    #[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
    pub(crate) fn kept<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Headers {
        Headers(pairs.map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of the header of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(existing, _)| *existing == name).map(|(_, value)| value)
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Their names, and how long their values are.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, Length(value.len())))).finish()
    }
}
