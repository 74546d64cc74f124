use seaworthy_store::micros;
use seaworthy_store::postgres::Read;
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use crate::held_answer::Held;
use crate::postgres::claim::SENDS;
use crate::postgres::engine::Postgres;
use crate::postgres::rows::{DONE, FAILED, RUNNING};
use crate::store::{Holder, Settlement};

pub(super) async fn settle(postgres: &Postgres, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
    let Ok(fence) = i64::try_from(holder.fence) else { return Ok(Held::Lost) };
    let columns = Columns::of(settlement);
    let bind = |arguments: &mut PgArguments| bind(arguments, holder, fence, &columns);
    for _ in 0..SENDS {
        let rows = postgres.store.rows("settle", &postgres.statements.settle, bind).await?;
        let read = Read::first("settle", &rows)?;
        if read.get("settled")? {
            return Ok(Held::Yes);
        }
        match read.get::<Option<i16>>("state")? {
            // It was settled between the snapshot and the lock.
            Some(RUNNING) => {}
            Some(state) if state == columns.state => return Ok(Held::Yes),
            _ => return Ok(Held::Lost),
        }
    }
    Err(StoreError::new(ErrorClass::Unavailable, "settle", "the row changed whenever it was looked at"))
}

pub(super) fn bind(
    arguments: &mut PgArguments,
    holder: &Holder,
    fence: i64,
    columns: &Columns<'_>,
) -> Result<(), BoxDynError> {
    arguments.add(holder.key.scope())?;
    arguments.add(holder.key.value())?;
    arguments.add(fence)?;
    arguments.add(holder.owner.to_be_bytes())?;
    arguments.add(columns.state)?;
    arguments.add(columns.result)?;
    arguments.add(columns.content_type)?;
    arguments.add(columns.reason)?;
    arguments.add(columns.keep_us)?;
    arguments.add(columns.grants_back)
}

/// A settlement as the row has it.
#[derive(Default)]
pub(super) struct Columns<'s> {
    pub(super) state: i16,
    result: Option<&'s [u8]>,
    content_type: Option<&'s str>,
    reason: Option<&'s str>,
    keep_us: Option<i64>,
    grants_back: i32,
}

impl Columns<'_> {
    pub(super) fn of(settlement: &Settlement) -> Columns<'_> {
        let (done, failed) =
            (Columns { state: DONE, ..Columns::default() }, Columns { state: FAILED, ..Columns::default() });
        match settlement {
            Settlement::Done { result, content_type, keep } => Columns {
                result: Some(result),
                content_type: Some(content_type),
                keep_us: keep.map(micros::of),
                ..done
            },
            Settlement::DoneNotKept { keep } => Columns { keep_us: keep.map(micros::of), ..done },
            Settlement::FailedForGood { reason, keep } => {
                Columns { reason: Some(reason), keep_us: keep.map(micros::of), ..done }
            }
            Settlement::Failed { reason, keep } => {
                Columns { reason: Some(reason), keep_us: keep.map(micros::of), ..failed }
            }
            Settlement::Released { keep } => Columns { keep_us: keep.map(micros::of), grants_back: 1, ..failed },
        }
    }
}
