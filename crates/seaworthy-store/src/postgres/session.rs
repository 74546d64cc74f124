//! A connection whose end is noticed, for what ends with a session.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::{Acquire, ConnectOptions, Connection};
use tokio::runtime::{Builder, Handle};

use crate::error::{ErrorClass, StoreError};
use crate::postgres::classify::{REPEATS, did_nothing, refuses_options, spares_the_connection, store_error};
use crate::postgres::probe;
use crate::postgres::statement::Statement;
use crate::postgres::url;
use crate::random;

/// What the server does with a session by itself.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Ends a statement after this.
    pub statement: Duration,
    /// Gives a statement up that waits for a lock for this long.
    pub lock: Duration,
    /// Ends the session, and gives its locks back, when nothing was heard of its client for this long.
    pub silence: Duration,
}

/// Opens sessions, each with a connection of its own, and none through a pooler.
///
/// # Clone
/// They open the same.
#[derive(Clone)]
pub struct Sessions {
    plain: PgConnectOptions,
    limits: SessionLimits,
    instead: &'static str,
}

impl Sessions {
    /// `instead` is what to do when a pooler is found, as a part of a sentence.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if the URL is not understood.
    pub fn new(url: &str, limits: SessionLimits, instead: &'static str) -> Result<Sessions, StoreError> {
        Ok(Sessions { plain: url::options(url)?, limits, instead })
    }

    /// Opens one. The caller limits its time.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if a pooler is in between or the server is older than 14 or does not let us in,
    /// `standby` if the server is in recovery, [`Unavailable`](ErrorClass::Unavailable) if it is not reached.
    ///
    /// # Cancellation
    /// Dropping it closes what was being opened.
    pub async fn open(&self, standby: ErrorClass) -> Result<Session, StoreError> {
        let failed = |error| store_error("connect", error);
        let nonce = format!("{:032x}", random::unique());
        let options = self.options(&nonce);
        // Looked at first: the driver's pool, which is the only way to a connection that can be listened to, tries
        // again and again to reach a server that refuses, and says that the time is over in place of why.
        let look = options
            .connect()
            .await
            .map_err(|error| if refuses_options(&error) { self.pooler().caused_by(error) } else { failed(error) })?;
        let _closed_either_way = look.close().await;
        let mut session = Session::open(options).await?;
        let found = probe::ask(session.connection().await.map_err(failed)?).await?;
        if found.nonce != Some(nonce) {
            return Err(self.pooler());
        }
        probe::refuse_standby(&found, standby)?;
        session.is_broken = false;
        Ok(session)
    }

    fn options(&self, nonce: &str) -> PgConnectOptions {
        let SessionLimits { statement, lock, silence } = self.limits;
        // Two questions within the time, and no answer to either.
        let seconds = |span: Duration| span.as_secs().max(1).to_string();
        self.plain.clone().options([
            ("statement_timeout", statement.as_millis().to_string()),
            ("lock_timeout", lock.as_millis().to_string()),
            ("idle_session_timeout", silence.as_millis().to_string()),
            ("tcp_user_timeout", silence.as_millis().to_string()),
            ("tcp_keepalives_idle", seconds(silence / 2)),
            ("tcp_keepalives_interval", seconds(silence / 4)),
            ("tcp_keepalives_count", "2".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("seaworthy.nonce", nonce.to_owned()),
        ])
    }

    fn pooler(&self) -> StoreError {
        let why =
            format!("a pooler is in front of the server, and with it a session is nobody's own: {}", self.instead);
        StoreError::new(ErrorClass::Refused, "connect", why)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options have a password.
        f.debug_struct("Sessions").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A session of one owner. It ends when it is dropped: its connection is closed in that moment, by no task, and the
/// server gives its locks back.
///
/// Of the driver's connections only a listener notices that it has ended while nothing is asked.
#[must_use = "a session that is dropped ends"]
pub struct Session {
    /// None only while it is dropped.
    listener: Option<PgListener>,
    is_broken: bool,
}

impl Session {
    async fn open(options: PgConnectOptions) -> Result<Session, StoreError> {
        nowhere()?;
        let one = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = one.test_before_acquire(false).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await.map_err(|error| store_error("connect", error))?;
        listener.eager_reconnect(false);
        listener.ignore_pool_close_event(true);
        // From here on it opens no other in place of this one. Not awaited: that would be until this one is closed.
        drop(pool.close());
        Ok(Session { listener: Some(listener), is_broken: true })
    }

    async fn connection(&mut self) -> Result<&mut sqlx::PgConnection, sqlx::Error> {
        match &mut self.listener {
            Some(listener) => listener.acquire().await,
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Sends one statement and gives its rows. `bind` encodes its parameters. What the server says did nothing is sent
    /// again, up to three times. The caller limits its time.
    ///
    /// # Errors
    /// In the classes of [`ErrorClass`]. Whether the session can be asked again says [`is_broken`](Self::is_broken).
    ///
    /// # Cancellation
    /// Dropping it breaks the session; the statement happens wholly or not at all.
    pub async fn rows(
        &mut self,
        asked: &'static str,
        statement: &Statement,
        bind: impl Fn(&mut PgArguments) -> Result<(), BoxDynError> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut repeats = 0;
        loop {
            let mut arguments = PgArguments::default();
            bind(&mut arguments).map_err(|error| store_error(asked, sqlx::Error::Encode(error)))?;
            self.is_broken = true;
            let answer = match self.connection().await {
                Ok(connection) => sqlx::query_with(statement.sql(), arguments).fetch_all(connection).await,
                Err(error) => Err(error),
            };
            self.is_broken = answer.as_ref().is_err_and(|error| !spares_the_connection(error));
            match answer {
                Ok(rows) => return Ok(rows),
                Err(error) if did_nothing(&error) && repeats < REPEATS => repeats += 1,
                Err(error) => return Err(store_error(asked, error)),
            }
        }
    }

    /// Waits for the end of the connection, whoever ends it.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn ended(&mut self) {
        let Some(listener) = &mut self.listener else { return };
        // Nothing is listened to; what comes all the same is of no interest.
        while let Ok(Some(_)) = listener.try_recv().await {}
        self.is_broken = true;
    }

    /// Whether its connection has ended, or has a half-read answer: nothing can be asked of it any more.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The driver would ask the server something in a task of its own, without a limit, and close the connection
        // then. Where no task can run it closes it at once.
        let _entered = nowhere().ok().map(|nowhere| nowhere.enter());
        drop(self.listener.take());
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("is_broken", &self.is_broken).finish_non_exhaustive()
    }
}

/// A runtime that has shut down: what is spawned on it is dropped.
fn nowhere() -> Result<&'static Handle, StoreError> {
    static NOWHERE: OnceLock<Handle> = OnceLock::new();
    if let Some(nowhere) = NOWHERE.get() {
        return Ok(nowhere);
    }
    let runtime = Builder::new_current_thread().build().map_err(|error| {
        StoreError::new(ErrorClass::Unavailable, "connect", "no runtime can be made").caused_by(error)
    })?;
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    Ok(NOWHERE.get_or_init(|| handle))
}
