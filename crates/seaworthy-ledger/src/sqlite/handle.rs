use seaworthy::Name;
use seaworthy_store::sqlite::SqliteStore;

use crate::builder::LedgerBuilder;
use crate::ledger::Ledger;
use crate::sqlite::engine::Sqlite;

impl Ledger<Sqlite> {
    /// A ledger in a SQLite file, for the processes of one machine. Its tables are installed, or upgraded, with the
    /// first request, or by [`Sqlite::migrate`].
    ///
    /// ```
    /// use seaworthy_ledger::sqlite::SqliteStore;
    /// use seaworthy_ledger::{Claimed, Key, Ledger};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("seaworthy-doc-{}.db", std::process::id()));
    /// let store = SqliteStore::open(&path).await?;
    /// let ledger = Ledger::sqlite("charges", &store).build()?;
    /// let key = Key::operation("charge", "invoice-17", "req-81f2")?;
    /// let Claimed::Mine(claim) = ledger.claim(&key).await? else { return Err("a new file".into()) };
    /// assert!(claim.complete("receipt 4711").await?.is_yes());
    /// assert!(matches!(ledger.claim(&key).await?, Claimed::Done(_)));
    /// # store.close().await;
    /// # std::fs::remove_file(path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sqlite(name: impl Into<Name>, store: &SqliteStore) -> LedgerBuilder<Sqlite> {
        Ledger::with_store(name, Sqlite::new(store))
    }
}
