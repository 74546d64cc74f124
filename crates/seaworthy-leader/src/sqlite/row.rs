//! A row as it was read, and what it comes to at a moment, since 1970. Nothing here reads a clock or a file.

use std::time::Duration;

use seaworthy_store::{ErrorClass, StoreError, micros};

use crate::machine::lease::LeaseRow;

/// The columns of `look.sql`, in its order.
pub(crate) type Columns = (i64, Vec<u8>, String, Option<String>, i64, i64);

/// A lease that was granted or renewed at one moment and ends at another.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Lease {
    /// Lasts for `length` from `now`.
    pub(crate) fn starting(now: i64, length: Duration) -> Lease {
        Lease { from: now, until: now.saturating_add(micros::of(length)) }
    }

    /// When it is over, seen from `now`. A clock that shows a time further before its start than it is long was stepped
    /// back, and would let it last for who knows how long: it is over. One that was stepped back by less does not make
    /// it longer than it is.
    fn over_at(self, now: i64) -> Duration {
        let length = self.until.saturating_sub(self.from);
        if now < self.from.saturating_sub(length) {
            return Duration::ZERO;
        }
        micros::span(self.until.min(now.saturating_add(length)))
    }

    pub(crate) fn is_live(self, now: i64) -> bool {
        micros::span(now) < self.over_at(now)
    }
}

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
        over_at: Lease { from, until }.over_at(now),
    })
}

pub(crate) fn corrupt(why: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, "lease", why)
}
