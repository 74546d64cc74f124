//! Rows as they were read. Nothing here reads a clock or a file.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::sqlite::classified;
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::headers::Headers;
use crate::job_id::JobId;
use crate::store::{DeadJob, Holder, Taken};

/// So much later.
pub(super) fn later(now: i64, span: Duration) -> i64 {
    now.saturating_add(micros::of(span))
}

/// What cannot be understood of a row.
pub(super) type Wrong = &'static str;

type Read<T> = Result<T, Wrong>;

fn get<'r, T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
    row: &'r SqliteRow,
    column: &'static str,
) -> Read<T> {
    row.try_get(column).map_err(|_| column)
}

fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Read<T> {
    T::try_from(get::<i64>(row, column)?).map_err(|_| column)
}

fn moment(row: &SqliteRow, column: &'static str) -> Read<Duration> {
    Ok(micros::span(get(row, column)?))
}

fn text(row: &SqliteRow, column: &'static str) -> Read<Box<str>> {
    Ok(get::<String>(row, column)?.into())
}

fn body(row: &SqliteRow) -> Read<Bytes> {
    Ok(get::<Vec<u8>>(row, "payload")?.into())
}

pub(super) fn id(row: &SqliteRow) -> Read<JobId> {
    JobId::new(get(row, "id")?).map_err(|_| "id")
}

fn headers(row: &SqliteRow) -> Read<Headers> {
    let pairs: Vec<(String, String)> = serde_json::from_str(get(row, "headers")?).map_err(|_| "headers")?;
    Ok(Headers::kept(pairs.iter().map(|(name, value)| (&**name, &**value))))
}

/// As JSON.
pub(super) fn headers_text(asked: &'static str, headers: &Headers) -> Result<String, StoreError> {
    let pairs: Vec<(&str, &str)> = headers.iter().collect();
    let unwritable = |error| StoreError::new(ErrorClass::Refused, asked, "headers that are no text").caused_by(error);
    serde_json::to_string(&pairs).map_err(|error: serde_json::Error| unwritable(error))
}

/// A job that was handed out at `now`.
pub(super) fn taken(row: &SqliteRow, now: i64) -> Read<Taken> {
    let since = |moment: i64| micros::span(now.saturating_sub(moment));
    Ok(Taken {
        id: id(row)?,
        kind: text(row, "kind")?,
        version: number(row, "version")?,
        headers: headers(row)?,
        body: body(row)?,
        accepted_at: moment(row, "accepted_at")?,
        attempt: number(row, "spent")?,
        fence: number(row, "fence")?,
        abandoned: number(row, "abandoned")?,
        deferred_for: get::<Option<i64>>(row, "deferred_since")?.map(since),
        waited: since(get(row, "due")?),
    })
}

/// A dead job, and what cannot be understood of it, in whose place is nothing: why it is dead can be read all the same.
pub(super) fn dead(row: &SqliteRow) -> Result<(DeadJob, Option<Wrong>), StoreError> {
    let mut wrong = None;
    fn or_nothing<T: Default>(wrong: &mut Option<Wrong>, read: Read<T>) -> T {
        read.unwrap_or_else(|column| {
            wrong.get_or_insert(column);
            T::default()
        })
    }
    let job = DeadJob {
        id: id(row).map_err(|column| corrupt("dead", column))?,
        kind: or_nothing(&mut wrong, text(row, "kind")),
        version: or_nothing(&mut wrong, number(row, "version")),
        headers: or_nothing(&mut wrong, headers(row)),
        body: or_nothing(&mut wrong, body(row)),
        attempts: or_nothing(&mut wrong, number(row, "attempts")),
        reason: or_nothing(&mut wrong, text(row, "reason")),
        accepted_at: or_nothing(&mut wrong, moment(row, "accepted_at")),
        died_at: or_nothing(&mut wrong, moment(row, "died_at")),
    };
    Ok((job, wrong))
}

pub(super) fn corrupt(asked: &'static str, column: Wrong) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, asked, format!("a row whose {column} cannot be understood"))
}

/// A count, which is never negative.
pub(super) fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// No row has a fence that is no `i64`.
pub(super) fn fence(holder: &Holder) -> i64 {
    i64::try_from(holder.fence).unwrap_or(-1)
}

pub(super) fn owner(owner: u128) -> Vec<u8> {
    owner.to_be_bytes().to_vec()
}

/// Of the driver's errors.
pub(super) fn failed(asked: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |error| classified(asked, error)
}
