//! Reading rows, whose columns may be of another type than ours if somebody has changed them.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

use crate::error::{ErrorClass, StoreError};
use crate::postgres::classify::store_error;

/// One row, and what was asked when it came.
#[derive(Clone, Copy)]
pub struct Read<'r> {
    asked: &'static str,
    row: &'r PgRow,
}

impl<'r> Read<'r> {
    /// This one.
    #[must_use]
    pub fn of(asked: &'static str, row: &'r PgRow) -> Read<'r> {
        Read { asked, row }
    }

    /// The first of `rows`, of a statement that always gives one.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorClass::Corrupt) if there is none.
    pub fn first(asked: &'static str, rows: &'r [PgRow]) -> Result<Read<'r>, StoreError> {
        let row = rows.first().ok_or_else(|| corrupt(asked, "the statement gave no row"))?;
        Ok(Read { asked, row })
    }

    /// A column.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorClass::Corrupt) if it is of another type.
    pub fn get<T: Decode<'r, Postgres> + Type<Postgres>>(self, column: &'static str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|error| store_error(self.asked, error))
    }

    /// A fence or a number, which cannot be negative.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorClass::Corrupt) if it is, or of another type.
    pub fn count(self, column: &'static str) -> Result<u64, StoreError> {
        let value: i64 = self.get(column)?;
        u64::try_from(value).map_err(|_| self.corrupt("a fence or a length is negative"))
    }

    /// The error of a row that makes no sense.
    #[must_use]
    pub fn corrupt(self, why: &'static str) -> StoreError {
        corrupt(self.asked, why)
    }
}

/// The error of an answer that makes no sense.
#[must_use]
pub fn corrupt(asked: &'static str, why: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, asked, why)
}
