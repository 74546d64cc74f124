//! A SQLite file. Its connections have threads of their own, which a paused clock does not wait for: here time is real.

mod clock;
mod dropped;
mod migrate;
mod open;
mod queue;

use std::path::{Path, PathBuf};
use std::time::Duration;

use seaworthy_store::sqlite::SqliteStore;
use seaworthy_store::{StoreError, random};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, query_scalar};

/// A directory of a test's own, which goes with it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        let path = std::env::temp_dir().join(format!("seaworthy-store-{:032x}", random::unique()));
        std::fs::create_dir(&path).expect("a directory for temporary files");
        Directory(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("work.db")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A connection as another process has it, which waits for nothing.
pub(crate) async fn stranger(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::ZERO);
    options.connect().await.expect("the file is there")
}

/// Makes a table of numbers.
pub(crate) async fn with_numbers(store: &SqliteStore) {
    let mut writing = store.writing("test").await.expect("nobody writes");
    run(&mut writing, "CREATE TABLE number (n integer)").await;
    writing.commit().await.expect("committed");
}

pub(crate) async fn run(writing: &mut seaworthy_store::sqlite::Writing, statement: &'static str) {
    sqlx::query(statement).execute(writing.connection()).await.expect(statement);
}

/// What is in the table, in the order in which it came.
pub(crate) async fn numbers(store: &SqliteStore) -> Vec<i64> {
    let mut reading = store.reading("test").await.expect("readers wait for nobody");
    let all = query_scalar("SELECT n FROM number ORDER BY rowid").fetch_all(reading.connection()).await;
    reading.done();
    all.expect("the table is there")
}

/// Writes a number.
pub(crate) async fn write(store: &SqliteStore, number: i64) -> Result<(), StoreError> {
    let request = async {
        let mut writing = store.writing("test").await?;
        let insert = sqlx::query("INSERT INTO number (n) VALUES (?1)").bind(number);
        insert
            .execute(writing.connection())
            .await
            .map_err(|error| seaworthy_store::sqlite::classified("test", error))?;
        writing.commit().await
    };
    store.within("test", request).await
}

/// How many descriptors this process has on the file.
#[cfg(target_os = "linux")]
pub(crate) fn descriptors(path: &Path) -> usize {
    let all = std::fs::read_dir("/proc/self/fd").expect("Linux has it");
    let targets = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target == path).count()
}

#[cfg(target_os = "linux")]
pub(crate) async fn until_descriptors(path: &Path, expected: usize) {
    // A connection that was dropped is closed by its thread.
    for _ in 0..500 {
        if descriptors(path) == expected {
            return;
        }
        seaworthy_store::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(descriptors(path), expected, "after 5 s");
}
