//! What SQLite's result codes mean to whoever asked.

use sqlx::Error;

use crate::error::{ErrorClass, StoreError};

// https://www.sqlite.org/rescode.html, the primary codes: the low byte of the extended ones.
const ERROR: u32 = 1;
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const NOMEM: u32 = 7;
const READONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const PROTOCOL: u32 = 15;
const TOOBIG: u32 = 18;
const AUTH: u32 = 23;
const NOTADB: u32 = 26;

/// The driver's error as a store's: `asked` is what was asked, as one word.
#[must_use]
pub fn classified(asked: &'static str, error: Error) -> StoreError {
    let (class, why) = match &error {
        Error::Database(_) => by_code(code(&error).unwrap_or_default()),
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. }
        | Error::RowNotFound => (ErrorClass::Corrupt, "a row that cannot be understood"),
        Error::Configuration(_) => (ErrorClass::Refused, "a setting that SQLite does not take"),
        _ => (ErrorClass::Unavailable, "the connection to the file is gone"),
    };
    StoreError::new(class, asked, why).caused_by(error)
}

fn by_code(code: u32) -> (ErrorClass, &'static str) {
    match code {
        BUSY | LOCKED | PROTOCOL => (ErrorClass::Unavailable, "the file is locked by another connection"),
        FULL => (ErrorClass::Full, "no room for more in the file or on its disk"),
        NOMEM => (ErrorClass::Full, "no memory"),
        CORRUPT => (ErrorClass::Corrupt, "the file is damaged"),
        NOTADB => (ErrorClass::Corrupt, "the file is not one of SQLite's"),
        READONLY => (ErrorClass::Refused, "the file or its directory cannot be written to"),
        CANTOPEN => (ErrorClass::Refused, "the file cannot be opened"),
        PERM | AUTH => (ErrorClass::Refused, "the file's rights do not allow it"),
        ERROR => (ErrorClass::Refused, "a table or a column is missing"),
        TOOBIG => (ErrorClass::Refused, "a value is longer than SQLite takes"),
        _ => (ErrorClass::Unavailable, "SQLite could not do it"),
    }
}

/// Whether another connection was in the way, so that nothing was done and it can be tried again.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(code(error), Some(BUSY | LOCKED | PROTOCOL))
}

fn code(error: &Error) -> Option<u32> {
    let extended = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(extended & 0xff)
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass, by_code};

    /// CO-14: each of SQLite's result codes has a class: what is in the way passes, what is full is full, what is
    /// damaged is corrupt, and a right or a table that is missing is refused.
    #[test]
    fn codes_have_classes() {
        for (code, class) in [
            (5, ErrorClass::Unavailable),
            (6, ErrorClass::Unavailable),
            (10, ErrorClass::Unavailable),
            (13, ErrorClass::Full),
            (7, ErrorClass::Full),
            (11, ErrorClass::Corrupt),
            (26, ErrorClass::Corrupt),
            (1, ErrorClass::Refused),
            (3, ErrorClass::Refused),
            (8, ErrorClass::Refused),
            (14, ErrorClass::Refused),
            (23, ErrorClass::Refused),
        ] {
            assert_eq!(by_code(code).0, class, "code {code}");
        }
    }
}
