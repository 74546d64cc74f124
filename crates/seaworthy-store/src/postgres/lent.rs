//! A connection for the time of one request.

use std::ops::DerefMut;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tokio::sync::OwnedSemaphorePermit;

use crate::postgres::connections::{Idle, Own};
use crate::time::{Instant, now};

/// An answer that is out for longer than this puts the other connections under suspicion, too.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// Lent from connections of our own or from a caller's pool. Dropped without having been given back, because the
/// request was given up or failed, it is closed at once: nobody else gets a connection with a half-read answer or an
/// open transaction, or one that hangs.
pub(super) struct Lent {
    raw: Raw,
    since: Instant,
    /// Whether the connection ended under the request: the others may have, too.
    broken: bool,
}

enum Raw {
    Own { connection: PgConnection, opened: Instant, home: Arc<Own>, permit: OwnedSemaphorePermit },
    Caller(PoolConnection<Postgres>),
    Gone,
}

impl Lent {
    pub(super) fn own(idle: Idle, home: Arc<Own>, permit: OwnedSemaphorePermit) -> Lent {
        let Idle { connection, opened, .. } = idle;
        Lent { raw: Raw::Own { connection, opened, home, permit }, since: now(), broken: false }
    }

    pub(super) fn caller(connection: PoolConnection<Postgres>) -> Lent {
        Lent { raw: Raw::Caller(connection), since: now(), broken: false }
    }

    /// It is in order: the next who asks may have it.
    pub(super) fn give_back(mut self) {
        match std::mem::replace(&mut self.raw, Raw::Gone) {
            Raw::Own { connection, opened, home, permit } => {
                home.put(Idle { connection, opened, idle_since: now() }, permit)
            }
            // Its pool takes it.
            Raw::Caller(connection) => drop(connection),
            Raw::Gone => {}
        }
    }

    /// Closes it, and those that nobody uses: they were opened to the same server.
    pub(super) fn give_up(mut self) {
        self.broken = true;
    }

    pub(super) fn connection(&mut self) -> Option<&mut PgConnection> {
        match &mut self.raw {
            Raw::Own { connection, .. } => Some(connection),
            Raw::Caller(connection) => Some(connection.deref_mut()),
            Raw::Gone => None,
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.raw, Raw::Gone) {
            Raw::Own { home, .. } => {
                if self.broken || now().saturating_duration_since(self.since) >= SUSPICIOUS {
                    home.forget_idle();
                }
            }
            // Not by the pool, which would first wait for the answer, for as long as that takes.
            Raw::Caller(connection) => drop(connection.detach()),
            Raw::Gone => {}
        }
    }
}
