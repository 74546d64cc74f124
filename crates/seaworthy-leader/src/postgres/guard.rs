//! In a caller's transaction, on a caller's connection, on which nothing is prepared, because there may be a pooler
//! behind it.

use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::postgres::{Read, store_error};
use seaworthy_store::{ErrorClass, StoreError, random};
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Executor, PgConnection};

use crate::postgres::engine::Postgres;
use crate::postgres::statements::Statements;
use crate::store::FencingStore;

impl FencingStore for Postgres {
    type Connection = PgConnection;

    async fn guard(
        &self,
        connection: &mut PgConnection,
        name: &Name,
        epoch: u64,
        limit: Duration,
    ) -> Result<bool, StoreError> {
        guard(&self.statements, connection, name, epoch, limit).await
    }
}

pub(super) async fn guard(
    statements: &Statements,
    connection: &mut PgConnection,
    name: &Name,
    epoch: u64,
    limit: Duration,
) -> Result<bool, StoreError> {
    let failed = |error| store_error("guard", error);
    let Ok(epoch) = i64::try_from(epoch) else { return Ok(false) };
    let mark = format!("{:032x}", random::unique());
    // A number and hexadecimal digits: in a statement without parameters, which is one round trip and not two.
    let limit = limit.as_millis().clamp(1, i32::MAX as u128).to_string();
    let limits = statements.guard_limits.as_str().replace("{limit}", &limit).replace("{mark}", &mark);
    connection.execute(AssertSqlSafe(limits)).await.map_err(failed)?;
    let mut arguments = PgArguments::default();
    let bound = (|| -> Result<(), BoxDynError> {
        arguments.add(name.as_str())?;
        arguments.add(epoch)?;
        arguments.add(mark)
    })();
    bound.map_err(|error| failed(sqlx::Error::Encode(error)))?;
    let query = sqlx::query_with(statements.guard.sql(), arguments).persistent(false);
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    let read = Read::first("guard", &rows)?;
    if !read.get::<bool>("marked")? {
        let why = "a guard holds until the end of its transaction, and there is none: begin one first";
        return Err(StoreError::new(ErrorClass::Refused, "guard", why));
    }
    read.get("held")
}
