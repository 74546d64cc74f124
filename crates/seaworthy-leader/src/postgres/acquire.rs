use std::time::Duration;

use seaworthy_store::postgres::{Read, sqlstate};
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use crate::postgres::engine::Postgres;
use crate::postgres::read::{self, row};
use crate::store::{Acquired, Answers, Bid, Candidate, RowTime};

/// How often bids without an answer are sent.
const SENDS: u32 = 3;
/// How long one bid alone waits for a transaction that its name's last leader guards.
const ALONE: Duration = Duration::from_secs(1);
/// How long several wait, which is for somebody who makes the very same row.
const TOGETHER: Duration = Duration::from_millis(500);
const LOCK_NOT_AVAILABLE: &str = "55P03";

pub(super) async fn acquire(
    postgres: &Postgres,
    candidate: &Candidate<'_>,
    bids: &[Bid],
    begin_by: RowTime,
) -> Result<Answers<Acquired>, StoreError> {
    let is_alone = bids.len() == 1;
    let patience = if is_alone { ALONE } else { TOGETHER }.min(postgres.store.request_timeout() / 2).as_millis();
    let mut each: Vec<Option<Acquired>> = vec![None; bids.len()];
    let mut at = None;
    for _ in 0..SENDS {
        let open: Vec<usize> = (0..bids.len()).filter(|place| each[*place].is_none()).collect();
        if open.is_empty() && at.is_some() {
            break;
        }
        let columns = Columns::of(open.iter().map(|place| &bids[*place]));
        let bind = |arguments: &mut PgArguments| -> Result<(), BoxDynError> {
            columns.add_to(arguments)?;
            arguments.add(candidate.holder)?;
            arguments.add(candidate.hint)?;
            arguments.add(micros::of(candidate.ttl))?;
            arguments.add(begin_by.0)?;
            arguments.add(patience.to_string())?;
            arguments.add(is_alone)
        };
        let rows = match postgres.store.rows("acquire", &postgres.statements.acquire, bind).await {
            // Nothing was done.
            Err(error) if sqlstate(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => break,
            rows => rows?,
        };
        let answers = read::answers("acquire", &rows, open.len(), |read| answer(read, is_alone))?;
        at = Some(answers.at);
        for (place, answer) in open.into_iter().zip(answers.each) {
            each[place] = answer;
        }
    }
    let at = match at {
        Some(at) => at,
        None => read::read(postgres, &[]).await?.at,
    };
    Ok(Answers { at, each: each.into_iter().map(|answer| answer.unwrap_or(Acquired::Locked)).collect() })
}

/// None if the row is locked, or was changed after the statement began. One that cannot be understood does not hold up
/// those that are asked for beside it: it is asked for again by itself, and then it is an error.
fn answer(read: Read<'_>, is_alone: bool) -> Result<Option<Acquired>, StoreError> {
    if read.get("late")? {
        return Ok(Some(Acquired::Late));
    }
    if read.get::<Option<i64>>("granted")?.is_some() {
        return Ok(Some(Acquired::Granted { epoch: read.count("granted")?, before: read.count("before")? }));
    }
    match row(read) {
        Err(error) if error.class() == ErrorClass::Corrupt && !is_alone => Ok(None),
        held => Ok(held?.map(Acquired::Held)),
    }
}

/// The bids, column by column.
#[derive(Default)]
struct Columns<'b> {
    names: Vec<&'b str>,
    terms: Vec<Vec<u8>>,
    seen: Vec<i64>,
}

impl<'b> Columns<'b> {
    fn of(bids: impl Iterator<Item = &'b Bid>) -> Columns<'b> {
        let mut columns = Columns::default();
        for bid in bids {
            columns.names.push(bid.name.as_str());
            columns.terms.push(bid.term.to_be_bytes().to_vec());
            // There is none above the last, so that this is refused as the last is.
            columns.seen.push(i64::try_from(bid.seen).unwrap_or(i64::MAX));
        }
        columns
    }

    fn add_to(&self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        arguments.add(&self.names)?;
        arguments.add(&self.terms)?;
        arguments.add(&self.seen)
    }
}
