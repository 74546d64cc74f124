use std::time::Duration;

use seaworthy_store::postgres::Read;
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::postgres::engine::Postgres;
use crate::postgres::rows::{Parts, id, parts, small};
use crate::store::{Received, Take, Taken};

/// How many statements are sent for one asking, because jobs that died took the places of others.
const SENDS: u32 = 16;

/// What is further away is as good as not known.
const FAR: Duration = Duration::from_secs(300 * 24 * 60 * 60);

pub(super) async fn take(postgres: &Postgres, take: &Take) -> Result<Received, StoreError> {
    let mut all = once(postgres, take, take.room, take.repeats).await?;
    for _ in 1..SENDS {
        let taken = u32::try_from(all.jobs.len()).unwrap_or(u32::MAX);
        let died = u32::try_from(all.died.len()).unwrap_or(u32::MAX);
        if died == 0 || taken >= take.room {
            break;
        }
        // What was handed out already is not lost with the answer to this one.
        let Ok(more) = once(postgres, take, take.room - taken, false).await else { break };
        let is_last = more.died.is_empty();
        all.jobs.extend(more.jobs);
        all.died.extend(more.died);
        all.next_due = more.next_due;
        if is_last {
            break;
        }
    }
    Ok(all)
}

async fn once(postgres: &Postgres, take: &Take, room: u32, repeats: bool) -> Result<Received, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(postgres.name())?;
        arguments.add(take.owner.to_be_bytes())?;
        arguments.add(repeats)?;
        arguments.add(i64::from(room))?;
        arguments.add(micros::of(take.visibility))?;
        arguments.add(i64::from(take.max_deliveries))
    };
    let rows = postgres.store.rows("receive", &postgres.statements.take, bind).await?;
    let next = micros::span(Read::first("receive", &rows)?.get("next_us")?);
    let mut received = Received { next_due: (next < FAR).then_some(next), ..Received::default() };
    for row in &rows {
        let read = Read::of("receive", row);
        match read.get("is_over")? {
            None => {}
            Some(true) => received.died.push(id(read)?),
            // A job that cannot be understood does not hold up those beside it: it comes back by itself, and is dead
            // when that has happened often enough.
            Some(false) => received.jobs.extend(taken(read).ok()),
        }
    }
    Ok(received)
}

fn taken(read: Read<'_>) -> Result<Taken, StoreError> {
    let Parts { id, kind, version, headers, body, accepted_at } = parts(read)?;
    Ok(Taken {
        id,
        kind,
        version,
        headers,
        body,
        accepted_at,
        attempt: small(read, "spent")?,
        fence: read.count("fence")?,
        abandoned: small(read, "abandoned")?,
        deferred_for: read.get::<Option<i64>>("deferred_us")?.map(micros::span),
        waited: micros::span(read.get("waited_us")?),
    })
}
