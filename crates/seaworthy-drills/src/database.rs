//! What a worker needs of a database: a ledger in it, and a table of side effects beside that.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{Claim, Held, Ledger, LedgerError};

/// Of a lease; it must be shorter than a third of the shortest that a drill uses.
const REQUEST: Duration = Duration::from_millis(450);
/// The shortest lease of a drill.
pub const SHORT_LEASE: Duration = Duration::from_millis(1_500);

/// A database with a ledger and a table `effect`.
pub trait Database: Sized + Send + Sync {
    /// Where the ledger's rows are.
    type Store: LedgerStore + Debug;
    /// A connection of the work's own, for its transaction.
    type Connection: Send;

    /// Opens what the URL says.
    fn open(url: &str) -> impl Future<Output = Self> + Send;

    /// The engine.
    fn store(&self) -> Self::Store;

    /// Makes the tables, in any number of processes at once.
    fn prepare(&self) -> impl Future<Output = ()> + Send;

    /// Connects, as an application does.
    fn connect(&self) -> impl Future<Output = Self::Connection> + Send;

    /// Begins a transaction.
    fn begin(&self, connection: &mut Self::Connection) -> impl Future<Output = ()> + Send;

    /// Ends it.
    fn end(&self, connection: &mut Self::Connection, commit: bool) -> impl Future<Output = ()> + Send;

    /// Notes that the work for a key was done.
    fn effect(&self, connection: &mut Self::Connection, key: &str, fence: u64) -> impl Future<Output = ()> + Send;

    /// How often the work for each key was done, of those for which it was.
    fn effects(&self, connection: &mut Self::Connection) -> impl Future<Output = Vec<(String, u64)>> + Send;

    /// Completes the claim in the transaction.
    fn complete_in(
        &self,
        connection: &mut Self::Connection,
        claim: &Claim<Self::Store>,
    ) -> impl Future<Output = Result<Held, LedgerError>> + Send;

    /// Ends all leases, as time does.
    fn expire_all(&self, connection: &mut Self::Connection) -> impl Future<Output = ()> + Send;

    /// Makes all rows failed ones.
    fn fail_all(&self, connection: &mut Self::Connection) -> impl Future<Output = ()> + Send;

    /// A ledger with this lease.
    fn ledger(&self, lease: Duration) -> Ledger<Self::Store> {
        let limit = if lease <= Duration::from_secs(15) { REQUEST } else { Duration::from_secs(5) };
        let builder = Ledger::with_store("drill", self.store()).lease(lease).request_timeout(limit);
        builder.build().expect("a drill's own settings")
    }
}
