//! The program's arguments.

/// What it is to do, and `--name=value` for each thing that it needs to know.
pub(crate) struct Options(Vec<String>);

impl Options {
    pub(crate) fn from_args() -> Options {
        Options(std::env::args().skip(1).collect())
    }

    pub(crate) fn task(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub(crate) fn store(&self) -> &str {
        self.text("store")
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("--{name}= is missing"))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|arg| arg.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }

    pub(crate) fn number(&self, name: &str) -> usize {
        let text = self.text(name);
        text.parse().unwrap_or_else(|error| panic!("--{name}={text}: {error}"))
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|arg| arg.strip_prefix("--") == Some(flag))
    }
}
