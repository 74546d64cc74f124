//! A place of its own in a server that it shares with others.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::Postgres;
use super::psql::Target;
use crate::find;

/// The variable with the URL of a server for tests that do it no harm.
pub const PG_URL: &str = "SEAWORTHY_PG_URL";

/// A schema of a server that others use, too: that of `SEAWORTHY_PG_URL`, or else [`Postgres::shared`]. It is dropped
/// with this value, with all that is in it.
///
/// ```no_run
/// use seaworthy_faults::postgres::Schema;
///
/// let schema = Schema::new();
/// schema.psql("create table jobs (id int)"); // seen by nobody else
/// let url = schema.url(); // for a client: its search path is this schema
/// # let _ = url;
/// ```
pub struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// Makes a schema.
    ///
    /// # Panics
    ///
    /// If the server does not answer or does not let it, or there is none on this machine.
    #[expect(clippy::new_without_default, reason = "it starts a server, which no default should do")]
    pub fn new() -> Schema {
        Schema::on(std::env::var(PG_URL).unwrap_or_else(|_| Postgres::shared().url()))
    }

    /// Makes a schema in the server of this URL.
    ///
    /// # Panics
    ///
    /// As [`Schema::new`].
    pub fn on(server: String) -> Schema {
        assert!(!server.contains("options="), "{PG_URL} must leave `options` to the search path");
        let name = format!("seaworthy_{:016x}", RandomState::new().hash_one(std::process::id()));
        let schema = Schema { server, name };
        schema.ask(&schema.server, &format!("create schema {}", schema.name)).unwrap_or_else(|why| panic!("{why}"));
        schema
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A URL whose connections have this schema as their search path.
    pub fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.server, self.name)
    }

    /// As [`Postgres::psql`], in this schema.
    ///
    /// # Panics
    ///
    /// If the statement fails, or takes more than 20 s.
    pub fn psql(&self, sql: &str) -> String {
        self.ask(&self.url(), sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn ask(&self, url: &str, sql: &str) -> Result<String, String> {
        Target::new(find::postgres().join("psql"), url).query(sql, Duration::from_secs(20))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, which may have a password.
        f.debug_struct("Schema").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let dropped = self.ask(&self.server, &format!("drop schema {} cascade", self.name));
        if let Err(error) = dropped {
            eprintln!("the schema {} is left: {error}", self.name);
        }
    }
}
