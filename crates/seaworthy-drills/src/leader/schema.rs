//! Leases and rows in a schema of a Postgres.

use seaworthy_leader::postgres::{PgStore, Postgres, PostgresElector, migrate};
use sqlx::{Connection, PgConnection};

use super::resource::resource_by;
use crate::postgres::PostgresSchema;

impl PostgresSchema {
    fn leases_in(&self) -> &PgStore {
        self.pg_store()
    }

    async fn prepare_leases(&self) {
        migrate(self.pg_store()).await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
    }

    async fn connect_at_once(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(self.url()).await
    }
}

resource_by!(
    PostgresSchema,
    PgConnection,
    Postgres,
    PostgresElector::on,
    "BEGIN",
    [
        "CREATE TABLE my_table (id text PRIMARY KEY, data bigint NOT NULL, epoch bigint NOT NULL)",
        "CREATE TABLE history (number bigserial PRIMARY KEY, id text NOT NULL, data bigint NOT NULL, \
     epoch bigint NOT NULL)",
        // The row is locked then, so that the numbers are in the order of the commits.
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO history (id, data, epoch) VALUES (new.id, new.data, new.epoch); RETURN new; END $$",
        "CREATE TRIGGER note AFTER UPDATE OF data ON my_table FOR EACH ROW EXECUTE FUNCTION note()",
    ]
);
