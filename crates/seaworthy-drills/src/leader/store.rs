//! Where a group's leases and rows are.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "servers")]
use seaworthy_faults::postgres::{Postgres, Schema};
use seaworthy_faults::worker::Journals;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::resource::{Accepted, Resource};
use super::settings::Settings;
use crate::database::Database;
use crate::sqlite::SqliteFile;

/// Much longer than a write takes.
const WRITE: Duration = Duration::from_millis(200);

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file.
    Sqlite,
    /// A schema in a server.
    #[cfg(feature = "servers")]
    Postgres,
}

impl Store {
    /// The store of this name.
    pub fn named(name: &str) -> Option<Store> {
        match name {
            "sqlite" => Some(Store::Sqlite),
            #[cfg(feature = "servers")]
            "postgres" => Some(Store::Postgres),
            _ => None,
        }
    }

    /// What its electors have by default.
    pub fn defaults(self) -> Settings {
        match self {
            Store::Sqlite => Settings::SQLITE,
            #[cfg(feature = "servers")]
            Store::Postgres => Settings::POSTGRES,
        }
    }

    /// Whether there is a network between it and those who use it.
    pub(super) fn is_remote(self) -> bool {
        self != Store::Sqlite
    }

    /// A place of its own for a group.
    pub(super) fn place(self, journals: &Journals) -> Place {
        match self {
            Store::Sqlite => Place::File(journals.directory().join("drill.db")),
            #[cfg(feature = "servers")]
            Store::Postgres => Place::in_server(Postgres::shared()),
        }
    }
}

/// A place of a group's own.
#[derive(Debug)]
pub(super) enum Place {
    File(PathBuf),
    #[cfg(feature = "servers")]
    Schema {
        schema: Schema,
        server: std::net::SocketAddr,
    },
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

impl Place {
    #[cfg(feature = "servers")]
    pub(super) fn in_server(server: &Postgres) -> Place {
        Place::Schema { schema: Schema::on(server.url()), server: server.addr() }
    }

    /// Its backends have its name.
    pub(super) fn url(&self) -> String {
        match self {
            Place::File(path) => format!("sqlite:{}", path.display()),
            #[cfg(feature = "servers")]
            Place::Schema { schema, .. } => format!("{}&application_name={}", schema.url(), schema.name()),
        }
    }

    /// Where a proxy has to go to, if one can be between.
    pub(super) fn server(&self) -> Option<std::net::SocketAddr> {
        match self {
            Place::File(_) => None,
            #[cfg(feature = "servers")]
            Place::Schema { server, .. } => Some(*server),
        }
    }

    pub(super) fn prepare(&self) {
        match self {
            Place::File(_) => block_on(async { SqliteFile::open(&self.url()).await.prepare_rows().await }),
            #[cfg(feature = "servers")]
            Place::Schema { .. } => block_on(async {
                crate::postgres::PostgresSchema::open(&self.url()).await.prepare_rows().await;
            }),
        }
    }

    /// All that was accepted, the earliest first.
    pub(super) fn accepted(&self) -> Vec<Accepted> {
        match self {
            Place::File(_) => block_on(async { SqliteFile::open(&self.url()).await.accepted().await }),
            #[cfg(feature = "servers")]
            Place::Schema { .. } => {
                block_on(async { crate::postgres::PostgresSchema::open(&self.url()).await.accepted().await })
            }
        }
    }

    /// Whether somebody keeps others from writing for longer than a write takes. Nobody can where there is a server,
    /// which ends such a transaction by itself.
    pub(super) fn is_locked(&self) -> bool {
        match self {
            Place::File(path) => block_on(async {
                let options = SqliteConnectOptions::new().filename(path).busy_timeout(WRITE);
                let mut connection = options.connect().await.expect("a file");
                connection.begin_with("BEGIN IMMEDIATE").await.is_err()
            }),
            #[cfg(feature = "servers")]
            Place::Schema { .. } => false,
        }
    }

    /// Returns when a new connection is answered: a server that has been stopped first forks for all who have asked
    /// meanwhile.
    pub(super) fn answers(&self) {
        match self {
            Place::File(_) => {}
            #[cfg(feature = "servers")]
            Place::Schema { schema, .. } => assert_eq!(schema.psql("SELECT 1"), "1"),
        }
    }

    /// Ends all connections to it at once, if it has any that a server could end.
    pub(super) fn terminate(&self) {
        match self {
            Place::File(_) => {}
            #[cfg(feature = "servers")]
            Place::Schema { schema, .. } => {
                let of = schema.name();
                let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = ";
                let ended = schema.psql(&format!("{ended}'{of}'"));
                assert_ne!(ended, "0", "nobody was connected");
            }
        }
    }
}
