//! A database for each test, because a lock's number is known in the whole of one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{Event as CoreEvent, Observer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_leader::postgres::{PgAdvisory, PgAdvisoryBuilder, migrate};
use seaworthy_store::postgres::PgStore;
use sqlx::{Connection, PgConnection};
use tokio::task::spawn_blocking;

use crate::space::{Session, until};

pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(3);
pub(super) const PING: Duration = Duration::from_millis(500);
pub(super) const LIMIT: Duration = Duration::from_millis(900);
pub(super) const MARGIN: Duration = Duration::from_millis(300);
pub(super) const STOP_TIME: Duration = Duration::from_millis(500);

/// The sessions of electors in this database that have an advisory lock.
const HOLDERS: &str = "SELECT count(DISTINCT pid) FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const OTHERS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// It goes with the server.
pub(super) struct Place(String);

impl Place {
    pub(super) async fn empty() -> Place {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("advisory_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name}");
        spawn_blocking(move || Server::shared().psql(&create)).await.unwrap();
        Place(name)
    }

    /// With the table.
    pub(super) async fn new() -> Place {
        let place = Place::empty().await;
        let store = PgStore::builder(&place.url()).connections(1).connect().await.unwrap();
        migrate(&store).await.unwrap();
        store.close().await;
        place
    }

    pub(super) fn url(&self) -> String {
        self.url_at(Server::shared().addr())
    }

    /// By way of somebody else.
    pub(super) fn url_at(&self, addr: SocketAddr) -> String {
        format!("postgres://postgres@{addr}/{}", self.0)
    }

    pub(super) async fn session(&self) -> Session {
        Session(PgConnection::connect(&self.url()).await.unwrap())
    }

    pub(super) fn elector(&self) -> PgAdvisory {
        quick(&self.url()).build().unwrap()
    }

    /// Waits until so many sessions have a lock.
    pub(super) async fn until_holders(&self, number: i64) {
        let mut session = self.session().await;
        until("so many have a lock", async || session.number(HOLDERS).await == number).await;
    }

    /// Waits until nobody but the test is connected.
    pub(super) async fn until_nobody_is_left(&self) {
        let mut session = self.session().await;
        until("nobody is connected", async || session.number(OTHERS).await == 0).await;
    }

    /// Ends the sessions that have a lock, as an operator does, and says how many.
    pub(super) async fn terminate_holders(&self) -> i64 {
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        self.session().await.number(ended).await
    }
}

/// With times that are as short as they can be.
pub(super) fn quick(url: &str) -> PgAdvisoryBuilder {
    PgAdvisory::builder(url)
        .session_timeout(SESSION_TIMEOUT)
        .ping(PING)
        .request_timeout(LIMIT)
        .margin(MARGIN)
        .stop_time(STOP_TIME)
        .poll(Duration::from_millis(100))
}

/// What was told, as text.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn on_event(&self, event: &CoreEvent<'_>) {
        let CoreEvent::Extension(event) = event else { return };
        let mut text = event.kind().to_owned();
        event.fields(&mut |field, value| {
            if matches!(field, "epoch" | "why" | "end" | "seen" | "got" | "asked" | "class") {
                text += &format!(" {field}={value}");
            }
        });
        if !matches!(event.kind(), "single_thread" | "still_down") {
            self.0.lock().unwrap().push(text);
        }
    }
}
