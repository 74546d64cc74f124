//! One statement, in a transaction of its own.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::postgres::statement::Statement;

/// How a request's limits and isolation reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The connection was opened with them.
    Direct,
    /// Each request sets them for a transaction of its own.
    InTransaction,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) request: Duration,
    pub(super) lock: Duration,
}

impl Limits {
    pub(super) fn request_ms(self) -> u128 {
        self.request.as_millis()
    }

    pub(super) fn lock_ms(self) -> u128 {
        self.lock.as_millis()
    }

    /// Both limits, and READ COMMITTED whatever the session's default is, in one round trip.
    fn begin(self) -> String {
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            self.lock_ms(),
            self.request_ms()
        )
    }
}

/// The rows that it gives.
pub(super) async fn run(
    connection: &mut PgConnection,
    mode: Mode,
    limits: Limits,
    statement: &Statement,
    arguments: PgArguments,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let query = sqlx::query_with(statement.sql(), arguments);
    match mode {
        Mode::Direct => query.fetch_all(connection).await,
        Mode::InTransaction => {
            connection.execute(AssertSqlSafe(limits.begin())).await?;
            let rows = query.persistent(false).fetch_all(&mut *connection).await;
            // An error ends the connection's use only if this fails, too.
            connection.execute(if rows.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
            rows
        }
    }
}
