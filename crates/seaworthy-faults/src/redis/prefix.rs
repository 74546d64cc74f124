//! A place of its own in a server that it shares with others.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;

use super::resp::Connection;
use super::{Redis, Reply};

/// The variable with the URL of a server for tests that do it no harm.
pub const REDIS_URL: &str = "SEAWORTHY_REDIS_URL";

/// A prefix for the keys of one test, in a server that others use, too: that of `SEAWORTHY_REDIS_URL`, or else
/// [`Redis::shared`]. All keys that begin with it are removed with this value.
///
/// ```no_run
/// use seaworthy_faults::redis::Prefix;
///
/// let prefix = Prefix::new();
/// prefix.ask(&["SET", &prefix.key("a"), "1"]);
/// ```
pub struct Prefix {
    server: String,
    prefix: String,
}

impl Prefix {
    /// Chooses a prefix.
    ///
    /// # Panics
    ///
    /// If the server does not answer, or there is none on this machine.
    #[expect(clippy::new_without_default, reason = "it starts a server, which no default should do")]
    pub fn new() -> Prefix {
        Prefix::on(std::env::var(REDIS_URL).unwrap_or_else(|_| Redis::shared().url()))
    }

    /// Chooses a prefix in the server of this URL.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn on(server: String) -> Prefix {
        let prefix = format!("seaworthy:{:016x}:", RandomState::new().hash_one(std::process::id()));
        let prefix = Prefix { server, prefix };
        prefix.ask(&["PING"]);
        prefix
    }

    /// The URL of the server.
    pub fn url(&self) -> &str {
        &self.server
    }

    /// What the test's keys begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A key of the test's own.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// As [`Redis::ask`].
    ///
    /// # Panics
    ///
    /// If it does not answer within 5 s.
    pub fn ask(&self, words: &[&str]) -> Reply {
        let answer = Connection::open(&self.server).and_then(|mut connection| connection.ask(words));
        answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    fn remove(&self) -> io::Result<()> {
        let mut connection = Connection::open(&self.server)?;
        let mut cursor = "0".to_owned();
        loop {
            let found = connection.ask(&["SCAN", &cursor, "MATCH", &format!("{}*", self.prefix), "COUNT", "1000"])?;
            let Some([Reply::Text(next), Reply::List(keys)]) = found.list() else {
                return Err(io::Error::other(format!("SCAN: {found:?}")));
            };
            let keys: Vec<&str> = keys.iter().filter_map(Reply::text).collect();
            if !keys.is_empty() {
                connection.ask(&[&["DEL"], keys.as_slice()].concat())?;
            }
            if next == "0" {
                return Ok(());
            }
            cursor.clone_from(next);
        }
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, which may have a password.
        f.debug_struct("Prefix").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("keys that begin with {} are left: {error}", self.prefix);
        }
    }
}
