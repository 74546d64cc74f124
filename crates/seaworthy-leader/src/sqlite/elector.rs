use std::time::Duration;

use seaworthy_store::sqlite::SqliteStore;

use crate::elector::builder::ElectorBuilder;
use crate::elector::lease::LeaseElector;
use crate::sqlite::engine::Sqlite;

/// Elections among the processes of one machine, by rows in a SQLite file.
///
/// ```
/// use std::time::Duration;
///
/// use seaworthy_leader::sqlite::{SqliteElector, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("seaworthy-leader-doc-{}.db", std::process::id()));
/// let store = SqliteStore::open(&path).await?;
/// let elector = SqliteElector::on(&store).hint("127.0.0.1:8080").build()?;
/// assert_eq!(elector.failover_bound(), Duration::from_millis(16_500));
///
/// let term = elector.campaign("cron").await?;
/// assert!(term.is_valid());
/// assert!(elector.try_campaign("cron").await?.is_none());
/// # term.resign().await;
/// # store.close().await;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
pub type SqliteElector = LeaseElector<Sqlite>;

impl LeaseElector<Sqlite> {
    /// One more candidate for the leases in this file. Its tables are installed, or upgraded, with the first request,
    /// or by [`Sqlite::migrate`].
    ///
    /// Nothing is far away, so the defaults are shorter than those of other stores: ttl 8 s, renewed every 2.5 s, stop
    /// time 2 s, margin 400 ms, and so a failover bound of 16.5 s. Of the elector's and the store's request timeout the
    /// shorter one holds.
    pub fn on(store: &SqliteStore) -> ElectorBuilder<Sqlite> {
        LeaseElector::with_store(Sqlite::new(store))
            .ttl(Duration::from_secs(8))
            .renew_every(Duration::from_millis(2_500))
            .stop_time(Duration::from_secs(2))
            .margin(Duration::from_millis(400))
    }
}
