use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;
use seaworthy_store::sqlite::{PackageStore, SqliteStore};
use tokio::sync::Notify;

use super::statements::{SCHEMA, Statements};
use super::wakes;

/// While nothing is there, what other processes have enqueued is looked for so often.
const POLL: Duration = Duration::from_millis(200);

/// The jobs of one queue in a SQLite file, which may have any number of queues.
///
/// # Clone
/// Costs a few reference counts; clones have the same jobs.
#[derive(Clone)]
pub struct Sqlite {
    pub(super) store: PackageStore,
    pub(super) queue: Name,
    pub(super) statements: Arc<Statements>,
    /// Something may be there to be handed out, or earlier than before.
    pub(super) changed: Arc<Notify>,
    pub(super) poll: Duration,
}

impl Sqlite {
    /// The queue of this name. The tables are installed, or upgraded, with the first request;
    /// [`migrate`](Sqlite::migrate) does it at once.
    #[must_use]
    pub fn new(queue: impl Into<Name>, store: &SqliteStore) -> Sqlite {
        let queue = queue.into();
        let statements = Arc::new(Statements::new(store.tables()));
        let changed = wakes::shared(store, queue.as_str());
        Sqlite { store: PackageStore::new(store, &SCHEMA), queue, statements, changed, poll: POLL }
    }

    /// Installs or upgrades the tables of queues in the file, if they are not as this program needs them. Any number of
    /// processes may do so at once. Jobs can be enqueued in a caller's transaction only after it, or after any other
    /// request.
    ///
    /// # Errors
    /// As [`SqliteStore::migrate`].
    ///
    /// # Cancellation
    /// Dropping it leaves the tables as they were, or as they were to be.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.store.prepare().await
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("queue", &self.queue).field("store", &self.store).finish_non_exhaustive()
    }
}
