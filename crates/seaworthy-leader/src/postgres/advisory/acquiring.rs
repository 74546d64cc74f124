//! One candidate, with a session of its own.

use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::limit::within;
use seaworthy_store::postgres::{Read, Session, sqlstate};
use seaworthy_store::time::{Instant, now, sleep};
use seaworthy_store::{ErrorClass, StoreError, micros, random};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use super::lock_number::lock_number;
use super::shared::Shared;
use crate::elector::requests::heard;
use crate::postgres::{CALL, read};
use crate::sight::Leader;

/// A lock that is not to be had although the row says that nobody leads is about to be given back: whoever resigned has
/// told the row, and the server has not seen the end of its session yet. Who asks for the first time goes on asking for
/// so long, or half of a request's limit if that is less, however slow the answers are.
const SOON: Duration = Duration::from_millis(200);
const BETWEEN: Duration = Duration::from_millis(10);

const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Of one name. Its session ends with it, and its lock with that.
pub(super) struct Candidate<'a> {
    shared: &'a Shared,
    name: Name,
    number: i64,
    session: Option<Session>,
}

/// The lock is ours, and the epoch raised.
pub(super) struct Granted {
    pub(super) session: Session,
    pub(super) raised: Raised,
}

pub(super) struct Raised {
    pub(super) term: u128,
    pub(super) epoch: u64,
    /// The row's, 0 without one.
    pub(super) before: u64,
    /// The highest that was seen before this.
    pub(super) seen: u64,
    /// The moment before the epoch was asked for.
    pub(super) sent: Instant,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(shared: &'a Shared, name: Name) -> Candidate<'a> {
        let number = lock_number(&name);
        Candidate { shared, name, number, session: None }
    }

    /// Asks once. After an error the session is closed: nobody knows what it holds.
    pub(super) async fn ask(&mut self) -> Result<Option<Granted>, StoreError> {
        let shared = self.shared;
        let (mut session, patience) = match self.session.take() {
            Some(session) => (session, Duration::ZERO),
            None => (open(shared).await?, SOON.min(shared.settings.request_timeout / 2)),
        };
        // One limit for all of it, which is what the bounds count with.
        let asking = async {
            let is_ours = self.try_lock(&mut session, patience).await?;
            if is_ours { self.raise(&mut session).await } else { Ok(None) }
        };
        let Some(raised) = shared.ask("acquire", asking).await? else {
            self.session = Some(session);
            return Ok(None);
        };
        shared.saw(&self.name, raised.epoch);
        shared.sight.saw(&self.name, None);
        Ok(Some(Granted { session, raised }))
    }

    async fn try_lock(&self, session: &mut Session, patience: Duration) -> Result<bool, StoreError> {
        let (asked, shared) = ("acquire", self.shared);
        let until = now() + patience;
        loop {
            let bind = |arguments: &mut PgArguments| {
                arguments.add(self.number)?;
                arguments.add(self.name.as_str())
            };
            let rows = session.rows(asked, &shared.statements.try_lock, bind).await.map_err(explained)?;
            let read = Read::first(asked, &rows)?;
            if read.get("is_ours")? {
                return Ok(true);
            }
            let row = read::row(read)?;
            if let Some(row) = &row {
                shared.saw(&self.name, row.epoch);
            }
            let is_led = row.is_some();
            shared.sight.saw(&self.name, row.map(Leader::from));
            // Or by somebody who keeps no row.
            if is_led || now() + BETWEEN >= until {
                return Ok(false);
            }
            sleep(BETWEEN).await;
        }
    }

    /// None while a transaction keeps the row, one that the last leader guards for instance. The lock stays ours then,
    /// and is asked for again, which the server counts and the session's end does not.
    async fn raise(&self, session: &mut Session) -> Result<Option<Raised>, StoreError> {
        let (asked, shared) = ("acquire", self.shared);
        let (term, seen) = (random::unique(), shared.seen(&self.name));
        let why = "an epoch was seen that is greater than any that this store can have";
        let highest = i64::try_from(seen).map_err(|_| StoreError::new(ErrorClass::Refused, asked, why))?;
        let sent = now();
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name.as_str())?;
            arguments.add(highest)?;
            arguments.add(term.to_be_bytes())?;
            arguments.add(shared.holder.as_str())?;
            arguments.add(shared.settings.hint.as_deref())?;
            arguments.add(micros::of(shared.settings.session_timeout))
        };
        let rows = match session.rows(asked, &shared.statements.raise, bind).await {
            Err(error) if sqlstate(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => return Ok(None),
            rows => rows?,
        };
        let read = Read::first(asked, &rows)?;
        Ok(Some(Raised { term, epoch: read.count("epoch")?, before: read.count("before")?, seen, sent }))
    }
}

/// A standby is a mistake at first, and later a failover that may be under way.
pub(super) async fn open(shared: &Shared) -> Result<Session, StoreError> {
    let is_first = shared.sight.last_answer().is_none();
    let standby = if is_first { ErrorClass::Refused } else { ErrorClass::Unavailable };
    // Only its failure says whether the server is there: whoever is let in may still be refused what it came for.
    let opened = within(shared.settings.request_timeout, "connect", Box::pin(shared.sessions.open(standby))).await;
    opened.inspect_err(|error| heard(&shared.sight, &shared.teller, "connect", Some(error)))
}

/// A table that is missing is made by somebody.
pub(super) fn explained(error: StoreError) -> StoreError {
    match sqlstate(&error).as_deref() {
        Some("42P01" | "3F000") => {
            let why = format!("the table of leases is not there: call `{CALL}` first");
            StoreError::new(error.class(), error.asked(), why).caused_by(error)
        }
        _ => error,
    }
}
