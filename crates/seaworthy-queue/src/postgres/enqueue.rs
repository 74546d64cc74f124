use std::collections::HashSet;

use seaworthy_store::postgres::{Read, corrupt, store_error};
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, PgConnection};

use crate::job_id::JobId;
use crate::postgres::engine::Postgres;
use crate::postgres::rows::written;
use crate::store::{Cancelled, Due, Entry, NewJob, TransactionalProducer};

/// How often a cancellation is asked for whose row was changed meanwhile.
const SENDS: u32 = 5;

pub(super) async fn enqueue(
    postgres: &Postgres,
    jobs: &[NewJob],
    max_len: Option<u64>,
) -> Result<Vec<Entry>, StoreError> {
    let columns = Columns::of(jobs);
    let bind = |arguments: &mut PgArguments| columns.add_to(arguments, postgres, max_len);
    let rows = postgres.store.rows("enqueue", &postgres.statements.enqueue, bind).await?;
    let entries = entries(jobs, &rows)?;
    if entries.contains(&Entry::Accepted) {
        postgres.changed();
    }
    Ok(entries)
}

/// In a caller's transaction, on a caller's connection: nothing is prepared there, because there may be a pooler behind
/// it, and no limit is set. Whoever waits is told by the server, with the commit.
impl TransactionalProducer for Postgres {
    type Connection = PgConnection;

    async fn enqueue_in(
        &self,
        connection: &mut PgConnection,
        jobs: &[NewJob],
        max_len: Option<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let failed = |error| store_error("enqueue_in", error);
        let mut arguments = PgArguments::default();
        let bound = Columns::of(jobs).add_to(&mut arguments, self, max_len);
        bound.map_err(|error| failed(sqlx::Error::Encode(error)))?;
        let query = sqlx::query_with(self.statements.enqueue.sql(), arguments).persistent(false);
        let rows = query.fetch_all(connection).await.map_err(failed)?;
        entries(jobs, &rows)
    }
}

pub(super) async fn cancel(postgres: &Postgres, id: &JobId) -> Result<Cancelled, StoreError> {
    for _ in 0..SENDS {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(postgres.name())?;
            arguments.add(id.as_str())
        };
        let rows = postgres.store.rows("cancel", &postgres.statements.cancel, bind).await?;
        let read = Read::first("cancel", &rows)?;
        match (read.get("removed")?, read.get::<Option<i16>>("state")?) {
            (true, _) => return Ok(Cancelled::Removed),
            (false, None) => return Ok(Cancelled::Unknown),
            // It was waiting when the statement began, and somebody had it first.
            (false, Some(0)) => {}
            (false, Some(_)) => return Ok(Cancelled::Running),
        }
    }
    Ok(Cancelled::Running)
}

fn entries(jobs: &[NewJob], rows: &[PgRow]) -> Result<Vec<Entry>, StoreError> {
    if rows.len() != jobs.len() {
        return Err(corrupt("enqueue", "the statement gave another number of rows than it was asked"));
    }
    let mut seen = HashSet::with_capacity(jobs.len());
    let mut entries = Vec::with_capacity(jobs.len());
    for (job, row) in jobs.iter().zip(rows) {
        let read = Read::of("enqueue", row);
        if !read.get::<bool>("has_room")? {
            return Err(StoreError::new(ErrorClass::Full, "enqueue", "the queue is as long as it may be"));
        }
        // Of several under one id the first was accepted.
        let is_new = read.get("accepted")? && seen.insert(&job.id);
        entries.push(if is_new { Entry::Accepted } else { Entry::Already });
    }
    Ok(entries)
}

/// The jobs, column by column.
#[derive(Default)]
struct Columns<'j> {
    ids: Vec<&'j str>,
    kinds: Vec<&'j str>,
    versions: Vec<i32>,
    headers: Vec<String>,
    bodies: Vec<&'j [u8]>,
    after: Vec<i64>,
    at: Vec<Option<i64>>,
}

impl<'j> Columns<'j> {
    fn of(jobs: &'j [NewJob]) -> Columns<'j> {
        let mut columns = Columns::default();
        for job in jobs {
            columns.ids.push(job.id.as_str());
            columns.kinds.push(&job.kind);
            columns.versions.push(job.version.into());
            columns.headers.push(written(&job.headers));
            columns.bodies.push(&job.body);
            let (after, at) = match job.due {
                Due::Now => (0, None),
                Due::After(span) => (micros::of(span), None),
                Due::At(moment) => (0, Some(micros::of(moment))),
            };
            columns.after.push(after);
            columns.at.push(at);
        }
        columns
    }

    fn add_to(
        &self,
        arguments: &mut PgArguments,
        postgres: &Postgres,
        max_len: Option<u64>,
    ) -> Result<(), BoxDynError> {
        arguments.add(postgres.name())?;
        arguments.add(&self.ids)?;
        arguments.add(&self.kinds)?;
        arguments.add(&self.versions)?;
        arguments.add(&self.headers)?;
        arguments.add(&self.bodies)?;
        arguments.add(&self.after)?;
        arguments.add(&self.at)?;
        arguments.add(max_len.map(|most| i64::try_from(most).unwrap_or(i64::MAX)))?;
        arguments.add(postgres.notice())
    }
}
