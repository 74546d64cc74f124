use seaworthy::Name;
use seaworthy_store::postgres::{Read, corrupt};
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::{PgArguments, PgRow};

use crate::postgres::engine::Postgres;
use crate::store::{Answers, Row, RowTime};

pub(super) async fn read(postgres: &Postgres, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
    let bind = |arguments: &mut PgArguments| arguments.add(names.iter().map(Name::as_str).collect::<Vec<_>>());
    let rows = postgres.store.rows("read", &postgres.statements.read, bind).await?;
    answers("read", &rows, names.len(), row)
}

/// One for each row; a statement that was asked for nothing gives one that has the clock alone.
pub(super) fn answers<T>(
    asked: &'static str,
    rows: &[PgRow],
    expected: usize,
    answer: impl Fn(Read<'_>) -> Result<T, StoreError>,
) -> Result<Answers<T>, StoreError> {
    let at = RowTime(Read::first(asked, rows)?.get("at_us")?);
    let mut each = Vec::with_capacity(expected);
    for row in rows {
        let read = Read::of(asked, row);
        if read.get::<Option<i64>>("number")?.is_some() {
            each.push(answer(read)?);
        }
    }
    if each.len() != expected {
        return Err(corrupt(asked, "the statement gave another number of rows than it was asked"));
    }
    Ok(Answers { at, each })
}

/// A live lease, if there is one.
pub(super) fn row(read: Read<'_>) -> Result<Option<Row>, StoreError> {
    if read.get::<Option<i64>>("epoch")?.is_none() {
        return Ok(None);
    }
    let hint: Option<String> = read.get("hint")?;
    let holder: String = read.get("holder")?;
    let left = micros::span(read.get("left_us")?);
    Ok(Some(Row { holder: holder.into(), epoch: read.count("epoch")?, hint: hint.map(Into::into), left }))
}
