use std::fmt;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::StoreError;
use crate::sqlite::class::classified;
use crate::sqlite::connections::reader;
use crate::sqlite::file::File;

/// One who reads what was committed; it waits for no writer, and none waits for it.
///
/// # Cancellation
/// Dropping it closes its connection, which may be in the middle of an answer.
pub struct Reading {
    connection: SqliteConnection,
    file: Arc<File>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Reading {
    pub(crate) async fn begin(file: &Arc<File>, asked: &'static str) -> Result<Reading, StoreError> {
        let place = file.place_to_read().await;
        let connection = match file.take_idle_reader() {
            Some(connection) => connection,
            None => reader(&file.path).await.map_err(|error| classified(asked, error))?,
        };
        Ok(Reading { connection, file: Arc::clone(file), _place: place })
    }

    /// To run statements on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Ends it: all that was asked has been answered, and the next one takes the connection over.
    pub fn done(self) {
        self.file.keep_reader(self.connection);
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}
