//! The first question to each connection: what is at its other end?

use sqlx::{Executor, PgConnection, Row};

use crate::error::{ErrorClass, StoreError};
use crate::postgres::classify::store_error;

/// Version 14 has what a stopped client's connection is ended by.
const OLDEST: u32 = 140_000;

// A simple query, because a pooler may be in between.
const QUESTION: &str = include_str!("probe.sql");

/// What was found.
pub(super) struct Found {
    pub(super) in_recovery: bool,
    /// The setting that the connection was opened with, as the server has it.
    pub(super) nonce: Option<String>,
}

/// Asks.
pub(super) async fn ask(connection: &mut PgConnection) -> Result<Found, StoreError> {
    let row = connection.fetch_one(QUESTION).await.map_err(|error| store_error("connect", error))?;
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(|error| store_error("connect", error));
    refuse_old(&text("version")?.unwrap_or_default())?;
    Ok(Found { in_recovery: text("in_recovery")?.as_deref() == Some("true"), nonce: text("nonce")? })
}

/// A server in recovery is a standby: at connect that is a mistake, later a failover may be under way.
pub(super) fn refuse_standby(found: &Found, class: ErrorClass) -> Result<(), StoreError> {
    if found.in_recovery {
        return Err(StoreError::new(
            class,
            "connect",
            "the server is in recovery: it is a standby, and takes no writes",
        ));
    }
    Ok(())
}

fn refuse_old(version: &str) -> Result<(), StoreError> {
    let version: u32 = version.parse().unwrap_or(0);
    if version < OLDEST {
        let why = format!("the server's version is {}, and 14 is the oldest that will do", version / 10_000);
        return Err(StoreError::new(ErrorClass::Refused, "connect", why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CO-20: a server that is older than 14 is refused.
    #[test]
    fn an_old_server_is_refused() {
        for fine in ["140000", "150018", "180001"] {
            assert!(refuse_old(fine).is_ok(), "{fine}");
        }
        for old in ["139999", "130022", "90624", ""] {
            let error = refuse_old(old).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Refused, "{old}");
        }
        assert!(refuse_old("130022").unwrap_err().to_string().contains("version is 13"));
    }
}
