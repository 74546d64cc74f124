use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;
use sqlx::PgConnection;

use crate::postgres::guard;
use crate::postgres::statements::Statements;
use crate::store::FencingStore;

/// What a term of a [`PgAdvisory`](crate::postgres::PgAdvisory) guards transactions by: the row of its name.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone)]
pub struct PgFence(pub(super) Arc<Statements>);

impl FencingStore for PgFence {
    type Connection = PgConnection;

    async fn guard(
        &self,
        connection: &mut PgConnection,
        name: &Name,
        epoch: u64,
        limit: Duration,
    ) -> Result<bool, StoreError> {
        guard::guard(&self.0, connection, name, epoch, limit).await
    }
}

impl fmt::Debug for PgFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgFence").finish_non_exhaustive()
    }
}
