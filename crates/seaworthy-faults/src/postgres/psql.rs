//! Queries without a client's library, by the server's own `psql`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::without_defaults;
use crate::command;

/// The name of sessions that only look or end others. They are no client of anybody's, also while they still go.
pub(super) const OWN_NAME: &str = "seaworthy-faults";

/// Whom to ask.
pub(crate) struct Target {
    psql: PathBuf,
    url: String,
    /// In the environment, where other users of the machine cannot read it.
    password: Option<String>,
}

impl Target {
    pub(crate) fn new(psql: PathBuf, url: &str) -> Target {
        let (url, password) = without_password(url);
        Target { psql, url, password }
    }

    pub(crate) fn query(&self, sql: &str, limit: Duration) -> Result<String, String> {
        self.run("psql", sql, limit)
    }

    /// The same in a session of the kit's own.
    pub(super) fn look(&self, sql: &str, limit: Duration) -> Result<String, String> {
        self.run(OWN_NAME, sql, limit)
    }

    fn run(&self, name: &str, sql: &str, limit: Duration) -> Result<String, String> {
        let mut psql = Command::new(&self.psql);
        without_defaults(&mut psql).env("PGCONNECT_TIMEOUT", "5").env("PGAPPNAME", name);
        if let Some(password) = &self.password {
            psql.env("PGPASSWORD", password);
        }
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", sql]);
        command::output(&mut psql, limit).map(|answer| answer.trim_end_matches('\n').to_owned())
    }
}

/// `postgres://user:word@host/base` without its word, and the word with its `%` read.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (who, host) = rest[..end].rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        Some((format!("{scheme}://{user}@{host}{}", &rest[end..]), decoded(password)))
    };
    match parts() {
        Some((url, password)) => (url, Some(password)),
        None => (url.to_owned(), None),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_url() {
        let of = |url: &str| without_password(url);
        assert_eq!(
            of("postgres://ann:s%40fe%25:x@db:5432/base?sslmode=require"),
            ("postgres://ann@db:5432/base?sslmode=require".to_owned(), Some("s@fe%:x".to_owned()))
        );
        for without in ["postgres://ann@db/base", "postgres://db", "postgres:///base?user=a:b@c"] {
            assert_eq!(of(without), (without.to_owned(), None));
        }
    }
}
