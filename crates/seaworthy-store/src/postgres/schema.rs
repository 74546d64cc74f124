//! Installing and upgrading the tables of a package.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::error::{ErrorClass, StoreError};
use crate::limit::within;
use crate::postgres::classify::{no_such_table, store_error};
use crate::postgres::statement::Statement;
use crate::postgres::store::PgStore;
use crate::schema::PackageSchema;

/// How long `migrate` may take: it waits for others that migrate, and for whoever uses a table that it changes.
const LIMIT: Duration = Duration::from_secs(60);

const LOCK: &str = include_str!("migrate_lock.sql");
const NEEDS_SCHEMA: &str = include_str!("migrate_needs_schema.sql");
const TABLE: &str = include_str!("migrate_table.sql");
const INSTALLED: &str = include_str!("installed.sql");
const RECORD: &str = include_str!("migrate_record.sql");

/// The version that is installed.
struct Installed {
    major: i32,
    version: i32,
}

impl Installed {
    fn read(asked: &'static str, row: &PgRow) -> Result<Installed, StoreError> {
        let number = |column: &str| row.try_get::<i32, _>(column).map_err(|error| store_error(asked, error));
        Ok(Installed { major: number("major")?, version: number("version")? })
    }
}

impl PgStore {
    /// Whether a package's tables are there, and new enough. Newer ones of the same major version are. `call` is what
    /// installs them.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if not, and says what to call; else what [`rows`](PgStore::rows) fails with.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn check_schema(
        &self,
        schema: &PackageSchema,
        call: &'static str,
        asked: &'static str,
    ) -> Result<(), StoreError> {
        let statement = Statement::new(self.names(), INSTALLED);
        let package = schema.package;
        let refuse = |why: String| StoreError::new(ErrorClass::Refused, asked, why);
        let missing = || refuse(format!("the tables of {package} are not there: call `{call}` first"));
        let bind = |arguments: &mut sqlx::postgres::PgArguments| sqlx::Arguments::add(arguments, package);
        let rows = match self.rows(asked, &statement, bind).await {
            Err(error) if is_missing(&error) => return Err(missing()),
            rows => rows?,
        };
        let Some(row) = rows.first() else { return Err(missing()) };
        let installed = Installed::read(asked, row)?;
        schema.same_major(asked, installed.major)?;
        if installed.version < schema.version() {
            let (old, new) = (installed.version, schema.version());
            let why = format!("the tables of {package} are of version {old}, and {new} is needed: call `{call}` first");
            return Err(refuse(why));
        }
        Ok(())
    }

    /// Installs or upgrades a package's tables, in one transaction. Where they are there and as new it changes nothing;
    /// any number of processes may call it at once. It has 60 s.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if a right is missing, or the tables are of another major version; else as
    /// [`rows`](PgStore::rows).
    ///
    /// # Cancellation
    /// Dropping it changes nothing, or all if the commit was on its way.
    pub async fn migrate(&self, schema: &PackageSchema) -> Result<(), StoreError> {
        let migrating = async {
            let mut lent = self.lend("migrate").await?;
            if let Some(connection) = lent.connection() {
                // If it fails the connection is closed, and its transaction ends with it.
                self.steps(connection, schema).await?;
            }
            lent.give_back();
            Ok(())
        };
        within(LIMIT, "migrate", migrating).await
    }

    async fn steps(&self, connection: &mut PgConnection, schema: &PackageSchema) -> Result<(), StoreError> {
        let failed = |error| store_error("migrate", error);
        let fill = |text: &'static str| Statement::new(self.names(), text).sql();
        let limit = LIMIT.as_millis();
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {limit}; SET LOCAL statement_timeout = {limit}"
        );
        connection.execute(AssertSqlSafe(begin)).await.map_err(failed)?;
        connection.execute(fill(LOCK)).await.map_err(failed)?;
        self.make_schema(connection).await?;
        connection.execute(fill(TABLE)).await.map_err(failed)?;
        let installed = sqlx::query(fill(INSTALLED)).bind(schema.package).persistent(false);
        let installed = match installed.fetch_optional(&mut *connection).await.map_err(failed)? {
            Some(row) => Installed::read("migrate", &row)?,
            None => Installed { major: schema.major, version: 0 },
        };
        schema.same_major("migrate", installed.major)?;
        for step in schema.missing(installed.version) {
            connection.execute(fill(step)).await.map_err(failed)?;
        }
        if installed.version < schema.version() {
            let record = sqlx::query(fill(RECORD)).bind(schema.package).bind(schema.major).bind(schema.version());
            record.persistent(false).execute(&mut *connection).await.map_err(failed)?;
        }
        connection.execute("COMMIT").await.map_err(failed)?;
        Ok(())
    }

    /// Not by `IF NOT EXISTS`, which asks for the right to create one even where there is nothing to do.
    async fn make_schema(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let Some(schema) = self.names().schema_name() else { return Ok(()) };
        let failed = |error| store_error("migrate", error);
        let needed = sqlx::query(Statement::new(self.names(), NEEDS_SCHEMA).sql()).bind(schema).persistent(false);
        let needed: bool = needed.fetch_one(&mut *connection).await.and_then(|row| row.try_get(0)).map_err(failed)?;
        if needed {
            connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.map_err(failed)?;
        }
        Ok(())
    }
}

fn is_missing(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    source.is_some_and(no_such_table)
}
