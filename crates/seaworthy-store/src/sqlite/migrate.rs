//! Installing and upgrading the tables of a package.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr, query, query_as, query_scalar, raw_sql};

use crate::error::StoreError;
use crate::schema::PackageSchema;
use crate::sqlite::class::classified;
use crate::sqlite::store::SqliteStore;

/// Which schema each package has here.
const TABLE: &str = include_str!("schema.sql");
const ASK: &str = "SELECT major, version FROM {p}schema WHERE package = ?1";
const NOTE: &str = "INSERT INTO {p}schema (package, major, version) VALUES (?1, ?2, ?3)
ON CONFLICT (package) DO UPDATE SET major = excluded.major, version = excluded.version";

pub(crate) async fn migrate(store: &SqliteStore, schema: &PackageSchema) -> Result<(), StoreError> {
    let mut reading = store.reading("migrate").await?;
    let installed = installed(store, schema, reading.connection()).await?;
    reading.done();
    if accepted(schema, installed)? {
        return Ok(());
    }
    // Nobody else can do the same until this is committed, so what is looked at now is what is there.
    let mut writing = store.writing("migrate").await?;
    let installed = self::installed(store, schema, writing.connection()).await?;
    if !accepted(schema, installed)? {
        install(store, schema, installed.map_or(0, |(_, version)| version), writing.connection())
            .await
            .map_err(|error| classified("migrate", error))?;
    }
    writing.commit().await
}

/// Whether the schema that is there can be used as it is.
fn accepted(schema: &PackageSchema, installed: Option<(i32, i32)>) -> Result<bool, StoreError> {
    let Some((major, version)) = installed else { return Ok(false) };
    schema.same_major("migrate", major)?;
    Ok(version >= schema.version())
}

/// The major version, and the version in it.
async fn installed(
    store: &SqliteStore,
    schema: &PackageSchema,
    connection: &mut SqliteConnection,
) -> Result<Option<(i32, i32)>, StoreError> {
    let asked = |error| classified("migrate", error);
    let table = store.tables().fill("{p}schema");
    let is_there: i64 = query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1")
        .bind(table)
        .fetch_one(&mut *connection)
        .await
        .map_err(asked)?;
    if is_there == 0 {
        return Ok(None);
    }
    let ask = AssertSqlSafe(store.tables().fill(ASK));
    query_as(ask).bind(schema.package).fetch_optional(connection).await.map_err(asked)
}

async fn install(
    store: &SqliteStore,
    schema: &PackageSchema,
    version: i32,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let fill = |text: &str| AssertSqlSafe(store.tables().fill(text)).into_sql_str();
    raw_sql(fill(TABLE)).execute(&mut *connection).await?;
    for step in schema.missing(version) {
        raw_sql(fill(step)).execute(&mut *connection).await?;
    }
    query(fill(NOTE)).bind(schema.package).bind(schema.major).bind(schema.version()).execute(connection).await?;
    Ok(())
}
