use std::time::Duration;

use seaworthy_store::postgres::PgStore;

use crate::elector::builder::ElectorBuilder;
use crate::elector::lease::LeaseElector;
use crate::postgres::engine::Postgres;

/// Elections by rows in Postgres, for processes on any number of machines.
///
/// Its table has to be there: [`migrate`](crate::postgres::migrate) makes it. Without it the first request is
/// [`Refused`](crate::ErrorClass::Refused) and says so, and so is
/// [`elector.store().check()`](crate::postgres::Postgres::check), which a program calls when it starts.
///
/// ```no_run
/// use seaworthy_leader::postgres::{self, PgStore, PostgresElector};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PgStore::connect("postgres://app@db.example/app").await?;
/// postgres::migrate(&store).await?;
/// let elector = PostgresElector::on(&store).hint("10.0.0.7:8080").build()?;
/// let term = elector.campaign("cron").await?;
/// assert!(term.is_valid());
/// # Ok(())
/// # }
/// ```
pub type PostgresElector = LeaseElector<Postgres>;

impl LeaseElector<Postgres> {
    /// An elector on the leases in `store`. Several in one process, or in many, are candidates that compete.
    pub fn on(store: &PgStore) -> ElectorBuilder<Postgres> {
        LeaseElector::with_store(Postgres::new(store))
    }
}

impl ElectorBuilder<Postgres> {
    /// How long a statement of a transaction that a term [guards](crate::Term::guard) may take, and how long the
    /// transaction may wait for its next: then the server ends it, so that a process that was stopped holds up nobody
    /// for longer. Default `stop_time` + `margin`; 50 ms to the ttl.
    pub fn transaction_limit(mut self, limit: Duration) -> ElectorBuilder<Postgres> {
        self.set_transaction_limit(limit);
        self
    }
}
