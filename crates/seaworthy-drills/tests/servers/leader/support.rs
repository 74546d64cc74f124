//! Leases in a schema of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy_leader::postgres::{Postgres, PostgresElector, migrate};
use seaworthy_leader::store::{Acquired, Bid, Candidate, FencingStore, LeaseStore, Renewal, RowTime, Tenure};
use seaworthy_leader::{ElectorBuilder, StoreError};
use sqlx::PgConnection;

pub(super) use crate::space::{Session, Space, until};

pub(super) const LONG: Duration = Duration::from_secs(60);
/// Later than anything is begun.
pub(super) const WHENEVER: RowTime = RowTime(i64::MAX);
/// What a transaction has that is to be ended by nobody.
pub(super) const UNLIMITED: Duration = Duration::from_secs(30);

pub(super) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Space {
    /// With the table of leases.
    pub(super) async fn of_leases() -> Space {
        let space = Space::empty().await;
        let store = space.store().await;
        migrate(&store).await.unwrap();
        store.close().await;
        space
    }

    pub(super) async fn leases(&self) -> Postgres {
        Postgres::new(&self.store().await)
    }

    /// With a ttl of a second and a half.
    pub(super) async fn elector(&self) -> ElectorBuilder<Postgres> {
        quick(PostgresElector::on(&self.store().await))
    }
}

/// A ttl of 1.5 s, renewed every 400 ms.
pub(super) fn quick(builder: ElectorBuilder<Postgres>) -> ElectorBuilder<Postgres> {
    let builder = builder.ttl(millis(1_500)).renew_every(millis(400)).request_timeout(millis(350));
    builder.retry_renew(millis(100)).stop_time(millis(200)).margin(millis(100)).poll(millis(100))
}

/// By a new term.
pub(super) fn bid(name: &str) -> Bid {
    Bid { name: name.to_owned().into(), term: seaworthy_store::random::unique(), seen: 0 }
}

pub(super) fn candidate(ttl: Duration) -> Candidate<'static> {
    Candidate { holder: "candidate", hint: None, ttl }
}

/// What became of one bid alone.
pub(super) async fn acquire(leases: &Postgres, bid: &Bid, ttl: Duration) -> Acquired {
    let mut answers = leases.acquire(&candidate(ttl), std::slice::from_ref(bid), WHENEVER).await.unwrap();
    assert_eq!(answers.each.len(), 1);
    answers.each.remove(0)
}

/// Takes what is to be had.
pub(super) async fn taken(leases: &Postgres, name: &str, ttl: Duration) -> Tenure {
    let bid = bid(name);
    match acquire(leases, &bid, ttl).await {
        Acquired::Granted { epoch, .. } => Tenure { name: bid.name, epoch, term: bid.term },
        other => panic!("{name} was to be had, and is {other:?}"),
    }
}

pub(super) async fn renew(leases: &Postgres, tenure: &Tenure, ttl: Duration) -> Renewal {
    leases.renew(std::slice::from_ref(tenure), ttl, WHENEVER).await.unwrap().each[0]
}

pub(super) async fn guarded(
    leases: &Postgres,
    connection: &mut PgConnection,
    tenure: &Tenure,
    limit: Duration,
) -> Result<bool, StoreError> {
    leases.guard(connection, &tenure.name, tenure.epoch, limit).await
}

impl Session {
    /// All leases are over, since when a second has passed.
    pub(super) async fn end_leases(&mut self) {
        self.run("UPDATE seaworthy_lease SET expires_at = clock_timestamp() - interval '1 second'").await;
    }
}

/// What was told, by kind, with its fields.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Told {
    pub(super) fn observer(&self) -> impl Fn(&seaworthy::Event<'_>) + Send + Sync + 'static {
        let told = self.clone();
        move |event| {
            let seaworthy::Event::Extension(event) = event else { return };
            let mut text = String::new();
            event.fields(&mut |name, value| text += &format!("{name}={value} "));
            told.0.lock().unwrap().push((event.kind(), text));
        }
    }

    pub(super) fn texts(&self, kind: &str) -> Vec<String> {
        let told = self.0.lock().unwrap();
        told.iter().filter(|(of, _)| *of == kind).map(|(_, text)| text.clone()).collect()
    }
}
