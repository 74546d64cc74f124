use std::fmt;
use std::sync::Arc;

use sqlx::Executor;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::OwnedMutexGuard;

use crate::error::StoreError;
use crate::sqlite::class::{classified, is_busy};
use crate::sqlite::connections::{pause, writer};
use crate::sqlite::file::File;

/// The one who writes: the file is locked for all others until it is committed or dropped, and what is read in it is
/// what is written on.
///
/// # Cancellation
/// Dropping it, whatever it was doing, rolls back and closes its connection; the next one opens another.
#[must_use = "a write that is not committed is rolled back"]
pub struct Writing {
    // In this order: whoever is next in the queue finds this connection on its way out.
    connection: SqliteConnection,
    place: OwnedMutexGuard<Option<SqliteConnection>>,
    asked: &'static str,
}

impl Writing {
    /// Waits for its turn in this process, and then for the other processes.
    pub(crate) async fn begin(file: &File, asked: &'static str) -> Result<Writing, StoreError> {
        let mut place = Arc::clone(&file.writer).lock_owned().await;
        loop {
            // Out of its place for as long as it has, or may have, a transaction.
            let opened = match place.take() {
                Some(connection) => Ok(connection),
                None => writer(&file.path, file.settings).await,
            };
            let error = match opened {
                Ok(mut connection) => match connection.execute("BEGIN IMMEDIATE").await {
                    Ok(_) => return Ok(Writing { connection, place, asked }),
                    Err(error) => {
                        if is_busy(&error) {
                            *place = Some(connection);
                        }
                        error
                    }
                },
                Err(error) => error,
            };
            if !is_busy(&error) {
                return Err(classified(asked, error));
            }
            pause().await;
        }
    }

    /// To run statements on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Ends it: what was written is there for all.
    ///
    /// # Errors
    /// If it cannot be written to the disk; then nothing of it is there.
    ///
    /// # Cancellation
    /// Dropping it leaves all of it or nothing.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let asked = self.asked;
        self.connection.execute("COMMIT").await.map_err(|error| classified(asked, error))?;
        *self.place = Some(self.connection);
        Ok(())
    }
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("asked", &self.asked).finish_non_exhaustive()
    }
}
