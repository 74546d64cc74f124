//! Reading rows, whose columns may be of another type than ours if somebody has changed them.

use seaworthy_store::postgres::store_error;
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

pub(super) const RUNNING: i16 = 0;
pub(super) const DONE: i16 = 1;
pub(super) const FAILED: i16 = 2;

/// One row, and what was asked when it came.
#[derive(Clone, Copy)]
pub(super) struct Read<'r> {
    pub(super) asked: &'static str,
    pub(super) row: &'r PgRow,
}

impl<'r> Read<'r> {
    /// The first of `rows`, of a statement that always gives one.
    pub(super) fn first(asked: &'static str, rows: &'r [PgRow]) -> Result<Read<'r>, StoreError> {
        let row = rows.first().ok_or_else(|| corrupt(asked, "the statement gave no row"))?;
        Ok(Read { asked, row })
    }

    pub(super) fn get<T: Decode<'r, Postgres> + Type<Postgres>>(self, column: &'static str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|error| store_error(self.asked, error))
    }

    /// A fence or a number, which cannot be negative.
    pub(super) fn count(self, column: &'static str) -> Result<u64, StoreError> {
        let value: i64 = self.get(column)?;
        u64::try_from(value).map_err(|_| corrupt(self.asked, "a fence or a length is negative"))
    }

    pub(super) fn grants(self) -> Result<u32, StoreError> {
        let grants: i32 = self.get("grants")?;
        u32::try_from(grants).map_err(|_| corrupt(self.asked, "a number of grants is negative"))
    }
}

pub(super) fn corrupt(asked: &'static str, why: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, asked, why)
}
