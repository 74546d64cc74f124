//! What the handles of one file share in a process: the connection that writes and its queue, and those that read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{Mutex as Queue, OwnedSemaphorePermit, Semaphore};

use crate::sqlite::connections::Settings;

/// How many read at a time.
const READERS: usize = 4;

pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    /// First come, first served. It is empty before the first write, and after one that was given up.
    pub(crate) writer: Arc<Queue<Option<SqliteConnection>>>,
    idle_readers: Mutex<Vec<SqliteConnection>>,
    reading: Arc<Semaphore>,
}

impl File {
    pub(crate) fn new(path: PathBuf, settings: Settings) -> File {
        File {
            path,
            settings,
            writer: Arc::default(),
            idle_readers: Mutex::default(),
            reading: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Waits for one of the places to read.
    pub(crate) async fn place_to_read(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.reading).acquire_owned().await.ok()
    }

    pub(crate) fn take_idle_reader(&self) -> Option<SqliteConnection> {
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(crate) fn keep_reader(&self, connection: SqliteConnection) {
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Closes what is idle, after the writes that are in the queue.
    pub(crate) async fn close_idle(&self) {
        // The queue goes on when the connection is out of its place, before the file is closed.
        let writer = self.writer.lock().await.take();
        let readers = std::mem::take(&mut *self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in readers.into_iter().chain(writer) {
            // What cannot be closed in order is closed by being dropped.
            let _closed = connection.close().await;
        }
    }
}
