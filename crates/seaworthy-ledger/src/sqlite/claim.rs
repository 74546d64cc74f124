use seaworthy_store::StoreError;
use seaworthy_store::sqlite::{Lease, classified};
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as};

use crate::key::Key;
use crate::sqlite::engine::Sqlite;
use crate::sqlite::row::{Columns, Decision, Looked, decide, number};
use crate::sqlite::settling::owner;
use crate::sqlite::statements::Statements;
use crate::store::{Answer, Attempt};

impl Sqlite {
    async fn grant(
        &self,
        attempt: &Attempt,
        counts: bool,
        now: i64,
        connection: &mut SqliteConnection,
    ) -> Result<Answer, StoreError> {
        let lease = Lease::starting(now, attempt.lease);
        let (fence, grants): (i64, i64) = query_as(self.statements.grant.clone())
            .bind(attempt.key.scope())
            .bind(attempt.key.value())
            .bind(owner(attempt.owner))
            .bind(lease.from)
            .bind(lease.until)
            .bind(attempt.rank)
            .bind(attempt.fingerprint.as_deref())
            .bind(i64::from(counts))
            .fetch_one(connection)
            .await
            .map_err(|error| classified("claim", error))?;
        Ok(Answer::Granted { fence: number("claim", fence)?, grants: number("claim", grants)? })
    }

    /// What needs no lock: whoever is busy or done is most of those who are asked twice.
    async fn answered(&self, attempt: &Attempt) -> Result<Option<Answer>, StoreError> {
        let mut reading = self.store.reading("claim").await?;
        let looked = look(&self.statements, "claim", &attempt.key, reading.connection()).await?;
        reading.done();
        match decide(looked, attempt, self.store.now())? {
            Decision::Answer(answer) => Ok(Some(answer)),
            Decision::Grant { .. } => Ok(None),
        }
    }

    pub(super) async fn claimed(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        if let Some(answer) = self.answered(attempt).await? {
            return Ok(answer);
        }
        let mut writing = self.store.writing("claim").await?;
        // Not before: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        let looked = look(&self.statements, "claim", &attempt.key, writing.connection()).await?;
        let answer = match decide(looked, attempt, now)? {
            Decision::Answer(answer) => answer,
            Decision::Grant { counts, forgets_steps } => {
                if forgets_steps {
                    forget_steps(&self.statements, &attempt.key, writing.connection()).await?;
                }
                self.grant(attempt, counts, now, writing.connection()).await?
            }
        };
        writing.commit().await?;
        Ok(answer)
    }
}

pub(crate) async fn look(
    statements: &Statements,
    asked: &'static str,
    key: &Key,
    connection: &mut SqliteConnection,
) -> Result<Option<Looked>, StoreError> {
    let columns: Option<Columns> = query_as(statements.look.clone())
        .bind(key.scope())
        .bind(key.value())
        .fetch_optional(connection)
        .await
        .map_err(|error| classified(asked, error))?;
    Ok(columns.map(Looked::new))
}

pub(crate) async fn forget_steps(
    statements: &Statements,
    key: &Key,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let forget = query(statements.forget_steps.clone()).bind(key.scope()).bind(key.value());
    forget.execute(connection).await.map_err(|error| classified("claim", error))?;
    Ok(())
}
