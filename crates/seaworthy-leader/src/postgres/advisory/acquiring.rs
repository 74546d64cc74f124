//! One candidate, with a session of its own.

use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::postgres::Session;
use seaworthy_store::time::{Instant, now, sleep};
use seaworthy_store::{ErrorClass, StoreError, random};

use super::lock_number::lock_number;
use super::rows::{self, explained, get, leader, only};
use super::shared::Shared;

/// A lock that is not to be had although the row says that nobody leads is about to be given back: whoever resigned has
/// told the row, and the server has not seen the end of its session yet. Who asks for the first time asks so often, and
/// waits for this in between.
const SOON: (u32, Duration) = (20, Duration::from_millis(10));

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
        let (mut session, tries) = match self.session.take() {
            Some(session) => (session, 1),
            None => (open(shared).await?, SOON.0),
        };
        // One limit for all of it, which is what the bounds count with.
        let asking = async {
            let is_ours = self.try_lock(&mut session, tries).await?;
            if is_ours { self.raise(&mut session).await.map(Some) } else { Ok(None) }
        };
        match shared.ask("acquire", asking).await? {
            Some((term, epoch, before, seen, sent)) => {
                shared.saw(&self.name, epoch);
                shared.sight.saw(&self.name, None);
                Ok(Some(Granted { session, term, epoch, before, seen, sent }))
            }
            None => {
                self.session = Some(session);
                Ok(None)
            }
        }
    }

    async fn try_lock(&self, session: &mut Session, tries: u32) -> Result<bool, StoreError> {
        let asked = "acquire";
        for more in (0..tries).rev() {
            let rows = session.rows(asked, &self.shared.statements.try_lock, |arguments| {
                sqlx::Arguments::add(arguments, self.number)?;
                sqlx::Arguments::add(arguments, self.name.as_str())
            });
            let row = only(asked, rows.await.map_err(explained)?)?;
            if get(asked, &row, "is_ours")? {
                return Ok(true);
            }
            let leader = leader(asked, &row)?;
            if let Some(leader) = &leader {
                self.shared.saw(&self.name, leader.epoch.get());
            }
            let is_led = leader.is_some();
            self.shared.sight.saw(&self.name, leader);
            if is_led {
                return Ok(false);
            }
            if more > 0 {
                sleep(SOON.1).await;
            }
        }
        // Somebody who keeps no row.
        Ok(false)
    }

    async fn raise(&self, session: &mut Session) -> Result<(u128, u64, u64, u64, Instant), StoreError> {
        let asked = "acquire";
        let Shared { statements, settings, holder, .. } = self.shared;
        let (term, seen, sent) = (random::unique(), self.shared.seen(&self.name), now());
        let rows = session.rows(asked, &statements.raise, |arguments| {
            sqlx::Arguments::add(arguments, self.name.as_str())?;
            sqlx::Arguments::add(arguments, rows::number(seen))?;
            sqlx::Arguments::add(arguments, &term.to_be_bytes()[..])?;
            sqlx::Arguments::add(arguments, holder.as_str())?;
            sqlx::Arguments::add(arguments, settings.hint.as_deref())?;
            sqlx::Arguments::add(arguments, rows::micros(settings.session_timeout))
        });
        let row = only(asked, rows.await.map_err(explained)?)?;
        let epoch = rows::epoch(asked, get(asked, &row, "epoch")?)?;
        let before = get::<Option<i64>>(asked, &row, "before")?.unwrap_or(0);
        Ok((term, epoch, rows::epoch(asked, before)?, seen, sent))
    }
}

/// A standby is a mistake at first, and later a failover that may be under way.
pub(super) async fn open(shared: &Shared) -> Result<Session, StoreError> {
    let is_first = shared.sight.last_answer().is_none();
    let standby = if is_first { ErrorClass::Refused } else { ErrorClass::Unavailable };
    shared.ask("connect", shared.sessions.open(standby)).await
}
