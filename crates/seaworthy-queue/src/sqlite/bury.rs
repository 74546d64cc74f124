use seaworthy_store::StoreError;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;

use super::engine::Sqlite;
use super::row::{corrupt, failed};
use crate::job_id::JobId;

impl Sqlite {
    /// Moves a live job to the dead, for this reason or its last one. Under the lock of a write. Under which id:
    /// another one than its own if that cannot be used, or if one is dead under it already, which no step of ours makes
    /// so; nothing is lost of either.
    pub(super) async fn bury(
        &self,
        asked: &'static str,
        connection: &mut SqliteConnection,
        number: i64,
        own: Option<&JobId>,
        reason: Option<&str>,
        now: i64,
    ) -> Result<JobId, StoreError> {
        let other = JobId::unique();
        for (id, other) in own.map(|own| (own, None)).into_iter().chain([(&other, Some(other.as_str()))]) {
            let bury = query(self.statements.bury.clone()).bind(number).bind(now).bind(reason).bind(other);
            let buried = bury.execute(&mut *connection).await.map_err(failed(asked))?;
            if buried.rows_affected() == 1 {
                let remove = query(self.statements.remove.clone()).bind(number);
                remove.execute(&mut *connection).await.map_err(failed(asked))?;
                return Ok(id.clone());
            }
        }
        Err(corrupt(asked, "number"))
    }
}
