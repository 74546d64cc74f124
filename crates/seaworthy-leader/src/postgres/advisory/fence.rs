use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::store_error;
use sqlx::{PgConnection, query};

use super::rows::number;
use super::statements::Statements;
use crate::store::FencingStore;

/// What a term of a [`PgAdvisory`](super::PgAdvisory) guards transactions by: the row of its name.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub struct PgFence(pub(super) Statements);

impl FencingStore for PgFence {
    type Connection = PgConnection;

    async fn guard(
        &self,
        connection: &mut PgConnection,
        name: &Name,
        epoch: u64,
        limit: Duration,
    ) -> Result<bool, StoreError> {
        let fence =
            query(self.0.fence.sql()).bind(name.as_str()).bind(number(epoch)).bind(limit.as_millis().to_string());
        // Whether a pooler is between this connection and the server is the caller's.
        let row = fence.persistent(false).fetch_optional(connection).await;
        Ok(row.map_err(|error| store_error("guard", error))?.is_some())
    }
}
