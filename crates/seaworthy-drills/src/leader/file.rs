//! Leases and rows in a SQLite file.

use std::time::Duration;

use seaworthy_leader::sqlite::{Sqlite, SqliteElector, SqliteStore};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::resource::resource_by;
use crate::sqlite::SqliteFile;

/// Of a write of the work, which is to see that the file is locked.
const PATIENCE: Duration = Duration::from_secs(1);

impl SqliteFile {
    fn leases_in(&self) -> &SqliteStore {
        self.sqlite_store()
    }

    async fn prepare_leases(&self) {
        Sqlite::new(self.sqlite_store()).migrate().await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
    }

    async fn connect_at_once(&self) -> Result<SqliteConnection, sqlx::Error> {
        SqliteConnectOptions::new().filename(self.sqlite_store().path()).busy_timeout(PATIENCE).connect().await
    }
}

resource_by!(
    SqliteFile,
    SqliteConnection,
    Sqlite,
    SqliteElector::on,
    "BEGIN IMMEDIATE",
    [
        "CREATE TABLE my_table (id text PRIMARY KEY, data integer NOT NULL, epoch integer NOT NULL)",
        "CREATE TABLE history (number integer PRIMARY KEY AUTOINCREMENT, id text NOT NULL, data integer NOT NULL, \
     epoch integer NOT NULL)",
        "CREATE TRIGGER note AFTER UPDATE OF data ON my_table BEGIN \
     INSERT INTO history (id, data, epoch) VALUES (new.id, new.data, new.epoch); END",
    ]
);
