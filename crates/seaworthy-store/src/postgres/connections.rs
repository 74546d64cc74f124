//! Where connections come from.
//!
//! Connections of our own are not in a pool of sqlx', because that asks the server something before and after each
//! use, and waits for the answer to a request that was given up.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{ErrorClass, StoreError};
use crate::postgres::classify::store_error;
use crate::postgres::lent::Lent;
use crate::postgres::probe;
use crate::time::{Instant, now};

/// A connection that nobody used for this long is asked whether it lives.
const ASKED_AFTER: Duration = Duration::from_secs(1);
/// How long it has for that; a new one may still be opened within the caller's limit.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// A name that means another server by now is noticed after this.
const OLDEST: Duration = Duration::from_secs(30 * 60);

pub(super) enum Connections {
    Own(Arc<Own>),
    Caller(PgPool),
}

impl Connections {
    /// Waits for one, first come, first served.
    pub(super) async fn lend(&self, asked: &'static str) -> Result<Lent, StoreError> {
        match self {
            Connections::Own(own) => Own::lend(own, asked).await,
            Connections::Caller(pool) => {
                pool.acquire().await.map(Lent::caller).map_err(|error| store_error(asked, error))
            }
        }
    }

    /// With what to open one that listens; none where a pooler would keep that to itself.
    pub(super) fn direct(&self) -> Option<&PgConnectOptions> {
        match self {
            Connections::Own(own) => own.nonce.as_ref().map(|_| &own.options),
            Connections::Caller(_) => None,
        }
    }

    /// Closes those of our own, after the last request has ended.
    pub(super) async fn close(&self) {
        if let Connections::Own(own) = self {
            own.close().await;
        }
    }
}

pub(super) struct Own {
    options: PgConnectOptions,
    /// The nonce in the options; none behind a pooler.
    nonce: Option<String>,
    most: u32,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

pub(super) struct Idle {
    pub(super) connection: PgConnection,
    pub(super) opened: Instant,
    pub(super) idle_since: Instant,
}

impl Own {
    /// `first` is open already.
    pub(super) fn new(options: PgConnectOptions, nonce: Option<String>, most: u32, first: PgConnection) -> Own {
        let (opened, idle_since) = (now(), now());
        let idle = Mutex::new(vec![Idle { connection: first, opened, idle_since }]);
        Own { options, nonce, most, places: Arc::new(Semaphore::new(most as usize)), idle }
    }

    async fn lend(own: &Arc<Own>, asked: &'static str) -> Result<Lent, StoreError> {
        let closed = |_| StoreError::new(ErrorClass::Refused, asked, "the store was closed");
        let permit = Arc::clone(&own.places).acquire_owned().await.map_err(closed)?;
        while let Some(idle) = own.take_idle() {
            if let Some(idle) = own.still_good(idle).await {
                return Ok(Lent::own(idle, Arc::clone(own), permit));
            }
        }
        let connection = own.open(asked).await?;
        let (opened, idle_since) = (now(), now());
        Ok(Lent::own(Idle { connection, opened, idle_since }, Arc::clone(own), permit))
    }

    async fn still_good(&self, mut idle: Idle) -> Option<Idle> {
        let now = now();
        if now.saturating_duration_since(idle.opened) > OLDEST {
            say_goodbye(idle.connection).await;
            return None;
        }
        if now.saturating_duration_since(idle.idle_since) < ASKED_AFTER {
            return Some(idle);
        }
        match timeout(ANSWERS_WITHIN, idle.connection.ping()).await {
            Ok(Ok(())) => Some(idle),
            Ok(Err(_broken)) => None,
            Err(_hangs) => {
                self.forget_idle();
                None
            }
        }
    }

    async fn open(&self, asked: &'static str) -> Result<PgConnection, StoreError> {
        let mut connection = self.options.connect().await.map_err(|error| store_error(asked, error))?;
        let found = probe::ask(&mut connection).await?;
        probe::refuse_standby(&found, ErrorClass::Unavailable)?;
        if self.nonce.is_some() && found.nonce != self.nonce {
            let why = "a pooler has come between: connect again, and it is found, or say so with `pooled()`";
            return Err(StoreError::new(ErrorClass::Refused, asked, why));
        }
        Ok(connection)
    }

    fn take_idle(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn put(&self, idle: Idle, permit: OwnedSemaphorePermit) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        // After the connection is there to be taken.
        drop(permit);
    }

    /// Closes those that nobody uses.
    pub(super) fn forget_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }

    async fn close(&self) {
        let all = Arc::clone(&self.places).acquire_many_owned(self.most).await;
        self.places.close();
        drop(all);
        while let Some(idle) = self.take_idle() {
            say_goodbye(idle.connection).await;
        }
    }
}

/// So that the server does not log a client that vanished.
async fn say_goodbye(connection: PgConnection) {
    let _closed_either_way = timeout(ANSWERS_WITHIN, connection.close()).await;
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options have a password.
        match self {
            Connections::Own(own) => f
                .debug_struct("Own")
                .field("most", &own.most)
                .field("pooled", &own.nonce.is_none())
                .finish_non_exhaustive(),
            Connections::Caller(_) => f.write_str("Caller"),
        }
    }
}
