//! What a driver's error means.

use std::error::Error;
use std::io;

use sqlx::error::DatabaseError;

use crate::error::{ErrorClass, StoreError};

/// How often a request is repeated inside a call that the server says did nothing.
pub(super) const REPEATS: u32 = 3;

/// The store's error for the driver's, which becomes its source unless rows or values could be in it.
#[must_use]
pub fn store_error(asked: &'static str, error: sqlx::Error) -> StoreError {
    let class = class(&error);
    match error.as_database_error() {
        Some(database) if tells_values(database) => {
            let code = database.code().unwrap_or_default();
            StoreError::new(class, asked, format!("the server refused a value (SQLSTATE {code})"))
        }
        Some(database) => {
            let code = database.code().unwrap_or_default();
            let why = format!("{} (SQLSTATE {code})", database.message());
            StoreError::new(class, asked, why).caused_by(error)
        }
        // A URL that cannot be read is quoted by whoever could not read it.
        None if matches!(error, sqlx::Error::Configuration(_)) => {
            StoreError::new(class, asked, "the URL or one of its parameters is not understood")
        }
        None => StoreError::new(class, asked, error.to_string()).caused_by(error),
    }
}

/// The SQLSTATE that is behind a store's error, if the server said one and it may be shown.
#[must_use]
pub fn sqlstate(error: &StoreError) -> Option<String> {
    let driver = error.source()?.downcast_ref::<sqlx::Error>()?;
    Some(driver.as_database_error()?.code()?.into_owned())
}

/// Bad data, broken constraints, and what a trigger of somebody's says: their texts quote values and whole rows.
fn tells_values(error: &dyn DatabaseError) -> bool {
    error.code().is_none_or(|code| ["22", "23", "P0"].iter().any(|class| code.starts_with(class)))
}

fn class(error: &sqlx::Error) -> ErrorClass {
    match error {
        sqlx::Error::Database(database) => class_of_state(&database.code().unwrap_or_default()),
        sqlx::Error::Tls(source) if !is_broken_connection(source.as_ref()) => ErrorClass::Refused,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::RowNotFound
        | sqlx::Error::TypeNotFound { .. } => ErrorClass::Corrupt,
        sqlx::Error::Configuration(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::InvalidArgument(_)
        | sqlx::Error::PoolClosed => ErrorClass::Refused,
        // Io, Protocol, PoolTimedOut, and whatever a later version adds.
        _ => ErrorClass::Unavailable,
    }
}

/// Whether TLS failed because the connection did. A certificate that is not trusted is bad data.
fn is_broken_connection(error: &(dyn Error + 'static)) -> bool {
    let is_broken = |error: &io::Error| error.kind() != io::ErrorKind::InvalidData;
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(is_broken) {
            return true;
        }
        next = error.source();
    }
    false
}

fn class_of_state(code: &str) -> ErrorClass {
    match code {
        // disk_full.
        "53100" => ErrorClass::Full,
        // read_only_sql_transaction: a failover; lock_not_available, query_canceled: a limit was over; the last two
        // did nothing.
        "25006" | "55P03" | "57014" | "40001" | "40P01" => ErrorClass::Unavailable,
        // data_corrupted, index_corrupted.
        "XX001" | "XX002" => ErrorClass::Corrupt,
        // Connections, resources, the operator, the system, the server's own faults.
        _ if ["08", "40", "53", "55", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            ErrorClass::Unavailable
        }
        _ => ErrorClass::Refused,
    }
}

fn state(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Whether the statement did nothing because others interfered: serialization_failure, deadlock_detected.
pub(super) fn did_nothing(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|code| code == "40001" || code == "40P01")
}

/// Whether this is how a pooler refuses a startup option that a server knows.
pub(super) fn refuses_options(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|code| code == "08P01" || code == "0A000")
}

/// Whether there is no such table.
pub(super) fn no_such_table(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|code| code == "42P01" || code == "3F000")
}

/// Whether the connection can be asked again after this. Not if the server said that it goes, that it is a standby by
/// now, or that what it has prepared is of no use.
pub(super) fn spares_the_connection(error: &sqlx::Error) -> bool {
    state(error).is_some_and(|code| {
        code == "57014"
            || !["08", "57", "25006", "0A000", "26000", "42P05", "XX"].iter().any(|bad| code.starts_with(bad))
    })
}
