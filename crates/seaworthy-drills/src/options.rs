//! The arguments of a process.

use std::fmt::Debug;
use std::str::FromStr;

/// What it is to do, and `--name=value` for each thing that it needs to know.
#[derive(Debug)]
pub struct Options(Vec<String>);

impl Options {
    /// Those of this process.
    pub fn from_args() -> Options {
        Options(std::env::args().skip(1).collect())
    }

    /// The first of them.
    pub fn task(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Where the store is.
    ///
    /// # Panics
    /// If that is missing.
    pub fn store(&self) -> &str {
        self.text("store")
    }

    /// A text.
    ///
    /// # Panics
    /// If it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("--{name}= is missing"))
    }

    /// A text, if it is there.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|arg| arg.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }

    /// A number.
    ///
    /// # Panics
    /// If it is missing, or none.
    pub fn number(&self, name: &str) -> usize {
        read(name, self.text(name))
    }

    /// A number, if it is there.
    ///
    /// # Panics
    /// If it is there and none.
    pub fn find_number<N: FromStr<Err: Debug>>(&self, name: &str) -> Option<N> {
        self.find(name).map(|text| read(name, text))
    }

    /// Whether there is a `--flag`.
    pub fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|arg| arg.strip_prefix("--") == Some(flag))
    }
}

fn read<N: FromStr<Err: Debug>>(name: &str, text: &str) -> N {
    text.parse().unwrap_or_else(|error| panic!("--{name}={text}: {error:?}"))
}
