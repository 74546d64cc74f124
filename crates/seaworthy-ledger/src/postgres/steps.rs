use bytes::Bytes;
use seaworthy_store::postgres::Read;
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::key::Key;
use crate::postgres::claim::SENDS;
use crate::postgres::engine::Postgres;
use crate::store::{Holder, StepKept};

pub(super) async fn read(postgres: &Postgres, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(key.scope())?;
        arguments.add(key.value())?;
        arguments.add(name)
    };
    let rows = postgres.store.rows("step", &postgres.statements.step, bind).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let result: Vec<u8> = Read::of("step", row).get("result")?;
    Ok(Some(result.into()))
}

pub(super) async fn keep(
    postgres: &Postgres,
    holder: &Holder,
    name: &str,
    result: &Bytes,
) -> Result<StepKept, StoreError> {
    let Ok(fence) = i64::try_from(holder.fence) else { return Ok(StepKept::Lost) };
    let bind = |arguments: &mut PgArguments| {
        arguments.add(holder.key.scope())?;
        arguments.add(holder.key.value())?;
        arguments.add(fence)?;
        arguments.add(holder.owner.to_be_bytes())?;
        arguments.add(name)?;
        arguments.add(&**result)
    };
    for _ in 0..SENDS {
        let rows = postgres.store.rows("keep_step", &postgres.statements.keep_step, bind).await?;
        let read = Read::first("keep_step", &rows)?;
        if !read.get::<bool>("held")? {
            return Ok(StepKept::Lost);
        }
        if read.get("kept")? {
            return Ok(StepKept::Stored(result.clone()));
        }
        if let Some(before) = read.get::<Option<Vec<u8>>>("before")? {
            return Ok(StepKept::Stored(before.into()));
        }
    }
    Err(StoreError::new(ErrorClass::Unavailable, "keep_step", "the row changed whenever it was looked at"))
}
