//! Numbers, rows and errors as the table has them.

use std::time::Duration;

use seaworthy_store::postgres::{sqlstate, store_error};
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, Row, Type};

use crate::epoch::Epoch;
use crate::sight::Leader;

pub(super) fn number(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}

pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
    asked: &'static str,
    row: &'r PgRow,
    column: &str,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| store_error(asked, error))
}

pub(super) fn epoch(asked: &'static str, number: i64) -> Result<u64, StoreError> {
    let below_zero = |_| StoreError::new(ErrorClass::Corrupt, asked, "an epoch is below zero");
    u64::try_from(number).map_err(below_zero)
}

/// Whoever leads, if the row is there.
pub(super) fn leader(asked: &'static str, row: &PgRow) -> Result<Option<Leader>, StoreError> {
    let Some(number) = get::<Option<i64>>(asked, row, "epoch")? else { return Ok(None) };
    let left: Option<i64> = get(asked, row, "left_micros")?;
    let left = Duration::from_micros(left.and_then(|left| u64::try_from(left).ok()).unwrap_or(0));
    let holder: String = get(asked, row, "holder")?;
    let epoch = Epoch::new(epoch(asked, number)?);
    Ok(Some(Leader::new(holder, epoch, get(asked, row, "hint")?, left)))
}

/// The one row that a statement gives.
pub(super) fn only(asked: &'static str, rows: Vec<PgRow>) -> Result<PgRow, StoreError> {
    rows.into_iter().next().ok_or_else(|| StoreError::new(ErrorClass::Corrupt, asked, "an answer without a row"))
}

/// A table that is missing is installed by somebody.
pub(super) fn explained(error: StoreError) -> StoreError {
    match sqlstate(&error).as_deref() {
        Some("42P01" | "3F000") => {
            let why = "the table of leases is not there: call `seaworthy_leader::postgres::migrate` first";
            StoreError::new(error.class(), error.asked(), why).caused_by(error)
        }
        _ => error,
    }
}
