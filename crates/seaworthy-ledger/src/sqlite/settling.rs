//! Ends of claims, on whatever connection has the lock.

use std::time::Duration;

use seaworthy_store::micros;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;

use crate::held_answer::Held;
use crate::sqlite::row::{DONE, FAILED};
use crate::sqlite::statements::Statements;
use crate::store::{Holder, Settlement};

/// What a settlement writes.
struct Columns<'a> {
    state: i64,
    result: Option<&'a [u8]>,
    content_type: Option<&'a str>,
    reason: Option<&'a str>,
    keep: Option<Duration>,
    taken_back: i64,
}

impl<'a> From<&'a Settlement> for Columns<'a> {
    fn from(settlement: &'a Settlement) -> Columns<'a> {
        let ended =
            |state, keep| Columns { state, result: None, content_type: None, reason: None, keep, taken_back: 0 };
        match settlement {
            Settlement::Done { result, content_type, keep } => {
                Columns { result: Some(result), content_type: Some(content_type), ..ended(DONE, *keep) }
            }
            Settlement::DoneNotKept { keep } => ended(DONE, *keep),
            Settlement::FailedForGood { reason, keep } => Columns { reason: Some(reason), ..ended(DONE, *keep) },
            Settlement::Failed { reason, keep } => Columns { reason: Some(reason), ..ended(FAILED, *keep) },
            Settlement::Released { keep } => Columns { taken_back: 1, ..ended(FAILED, *keep) },
        }
    }
}

/// Ends a running claim at `now`. Gives whether it was the holder's and running.
pub(crate) async fn end(
    statements: &Statements,
    connection: &mut SqliteConnection,
    holder: &Holder,
    settlement: &Settlement,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let columns = Columns::from(settlement);
    let ended = query(statements.settle.clone())
        .bind(holder.key.scope())
        .bind(holder.key.value())
        .bind(fence(holder))
        .bind(owner(holder.owner))
        .bind(columns.state)
        .bind(now)
        .bind(columns.result)
        .bind(columns.content_type)
        .bind(columns.reason)
        .bind(columns.keep.map(|keep| now.saturating_add(micros::of(keep))))
        .bind(columns.taken_back)
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// The same, where a claim that was settled to the same state before, under the same fence and owner, is as it was to
/// be: the answer was lost.
pub(crate) async fn settle(
    statements: &Statements,
    connection: &mut SqliteConnection,
    holder: &Holder,
    settlement: &Settlement,
    now: i64,
) -> Result<Held, sqlx::Error> {
    let settled = end(statements, &mut *connection, holder, settlement, now).await?
        || state_of(statements, connection, holder).await? == Some(Columns::from(settlement).state);
    Ok(held(settled))
}

pub(crate) fn held(ours: bool) -> Held {
    if ours { Held::Yes } else { Held::Lost }
}

/// The state of the row, if it is still the holder's.
pub(crate) async fn state_of(
    statements: &Statements,
    connection: &mut SqliteConnection,
    holder: &Holder,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(statements.settled.clone())
        .bind(holder.key.scope())
        .bind(holder.key.value())
        .bind(fence(holder))
        .bind(owner(holder.owner))
        .fetch_optional(connection)
        .await
}

/// No row has a fence that is no `i64`.
pub(crate) fn fence(holder: &Holder) -> i64 {
    i64::try_from(holder.fence).unwrap_or(-1)
}

pub(crate) fn owner(owner: u128) -> Vec<u8> {
    owner.to_be_bytes().to_vec()
}
