use seaworthy::Name;
use seaworthy_store::postgres::PgStore;

use crate::builder::LedgerBuilder;
use crate::ledger::Ledger;
use crate::postgres::engine::Postgres;

impl Ledger<Postgres> {
    /// A ledger in Postgres: it outlives the process, and any number of processes share it.
    ///
    /// Its tables have to be there: [`migrate`](crate::postgres::migrate) makes them. Without them the first claim is
    /// [`Refused`](crate::ErrorClass::Refused) and says so, and so is
    /// [`ledger.store().check()`](crate::postgres::Postgres::check), which a program calls when it starts.
    ///
    /// ```no_run
    /// use seaworthy_ledger::Ledger;
    /// use seaworthy_ledger::postgres::{self, PgStore};
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PgStore::connect("postgres://app@db.example/app").await?;
    /// postgres::migrate(&store).await?;
    /// let ledger = Ledger::postgres("charges", &store).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn postgres(name: impl Into<Name>, store: &PgStore) -> LedgerBuilder<Postgres> {
        Ledger::with_store(name, Postgres::new(store))
    }
}
