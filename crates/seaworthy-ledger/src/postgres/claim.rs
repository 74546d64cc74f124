use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::micros;
use seaworthy_store::postgres::{Read, sqlstate};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::key::Key;
use crate::postgres::engine::Postgres;
use crate::postgres::rows::{DONE, FAILED, RUNNING, grants};
use crate::record::{Entry, EntryState, Kept, Record};
use crate::store::{Answer, Attempt};

/// How often a statement whose halves both did not answer is sent.
pub(super) const SENDS: u32 = 6;
/// What is left after that: the row changes all the time.
pub(super) const IN_MOTION: Duration = Duration::from_millis(50);
/// Somebody's transaction has the row, and has not ended within the limit.
const LOCKED: Duration = Duration::from_secs(1);
const LOCK_NOT_AVAILABLE: &str = "55P03";

pub(super) async fn claim(postgres: &Postgres, attempt: &Attempt) -> Result<Answer, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(attempt.key.scope())?;
        arguments.add(attempt.key.value())?;
        arguments.add(attempt.owner.to_be_bytes())?;
        arguments.add(micros::of(attempt.lease))?;
        arguments.add(attempt.fingerprint.as_deref())?;
        arguments.add(attempt.rank)
    };
    for _ in 0..SENDS {
        let rows = match postgres.store.rows("claim", &postgres.statements.claim, bind).await {
            Err(error) if sqlstate(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => {
                return Ok(Answer::Busy { left: LOCKED });
            }
            rows => rows?,
        };
        if let Some(answer) = answer(Read::first("claim", &rows)?)? {
            return Ok(answer);
        }
    }
    Ok(Answer::Busy { left: IN_MOTION })
}

/// None if neither half of the statement answered.
pub(super) fn answer(read: Read<'_>) -> Result<Option<Answer>, StoreError> {
    if read.get::<Option<i64>>("granted_fence")?.is_some() {
        return Ok(Some(Answer::Granted { fence: read.count("granted_fence")?, grants: grants(read)? }));
    }
    // Unknown, or to be had: it was not had, so the row is another by now.
    if read.get::<Option<bool>>("claimable")?.unwrap_or(true) {
        return Ok(None);
    }
    if read.get("mismatch")? {
        return Ok(Some(Answer::Mismatch));
    }
    match read.get::<i16>("state")? {
        RUNNING => Ok(Some(Answer::Busy { left: micros::span(read.get("left_us")?) })),
        DONE => Ok(Some(Answer::Done(record(read)?))),
        _ => Err(read.corrupt("a row has a state that there is not")),
    }
}

fn record(read: Read<'_>) -> Result<Record, StoreError> {
    let finished: Option<i64> = read.get("finished_us")?;
    let finished = finished.ok_or_else(|| read.corrupt("a row is done and was never finished"))?;
    let result: Option<Vec<u8>> = read.get("result")?;
    let content_type: Option<String> = read.get("content_type")?;
    let reason: Option<String> = read.get("reason")?;
    let kept = match (result, reason) {
        (Some(bytes), _) => {
            Kept::Result { bytes: Bytes::from(bytes), content_type: content_type.unwrap_or_default().into() }
        }
        (None, Some(reason)) => Kept::Failed(reason.into()),
        (None, None) => Kept::Nothing,
    };
    Ok(Record { fence: read.count("fence")?, finished_at: micros::moment(finished), kept })
}

pub(super) async fn lookup(postgres: &Postgres, key: &Key) -> Result<Option<Entry>, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(key.scope())?;
        arguments.add(key.value())
    };
    let rows = postgres.store.rows("lookup", &postgres.statements.lookup, bind).await?;
    rows.first().map(|row| entry(Read::of("lookup", row))).transpose()
}

fn entry(read: Read<'_>) -> Result<Entry, StoreError> {
    let state = match read.get::<i16>("state")? {
        RUNNING => EntryState::Running { left: micros::span(read.get("left_us")?) },
        DONE => EntryState::Done,
        FAILED => EntryState::Failed,
        _ => return Err(read.corrupt("a row has a state that there is not")),
    };
    let moment = |column| read.get(column).map(micros::moment);
    let mut entry = Entry::new(state, read.count("fence")?, grants(read)?, moment("first_us")?, moment("started_us")?);
    entry.finished_at = read.get::<Option<i64>>("finished_us")?.map(micros::moment);
    entry.reason = read.get::<Option<String>>("reason")?.map(Into::into);
    if read.get::<Option<i64>>("result_len")?.is_some() {
        entry.result_len = Some(read.count("result_len")?);
    }
    Ok(entry)
}
