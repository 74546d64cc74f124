//! A row as it was read, and what it comes to at a moment, since 1970. Nothing here reads a clock or a file.

use seaworthy_store::sqlite::Lease;
use seaworthy_store::{ErrorClass, StoreError, micros};

use crate::machine::lease::LeaseRow;

/// The columns of `look.sql`, in its order.
pub(crate) type Columns = (i64, Vec<u8>, String, Option<String>, i64, i64);

/// The row at `now`.
pub(crate) fn at(now: i64, columns: Columns) -> Result<LeaseRow, StoreError> {
    let (epoch, term, holder, hint, from, until) = columns;
    let epoch = u64::try_from(epoch).map_err(|_| corrupt("a row whose epoch is below zero"))?;
    let term = <[u8; 16]>::try_from(&*term).map_err(|_| corrupt("a row whose term is not of 16 bytes"))?;
    Ok(LeaseRow {
        epoch,
        term: u128::from_be_bytes(term),
        holder: holder.into(),
        hint: hint.map(Into::into),
        over_at: micros::span(now) + Lease { from, until }.left(now).unwrap_or_default(),
    })
}

pub(crate) fn corrupt(why: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, "lease", why)
}
