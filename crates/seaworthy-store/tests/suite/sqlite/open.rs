use std::error::Error;
use std::time::Duration;

use seaworthy::ConfigError;
use seaworthy_store::ErrorClass;
use seaworthy_store::sqlite::{SqliteStore, Synchronous};
use sqlx::query_scalar;

use super::{Directory, write};

async fn pragma(store: &SqliteStore, asked: &'static str) -> i64 {
    let mut writing = store.writing("test").await.expect("nobody writes");
    let value = query_scalar(asked).fetch_one(writing.connection()).await.expect(asked);
    writing.commit().await.expect("nothing was written");
    value
}

/// CO-21: the file has a write-ahead log, each write is synced (unless it was said otherwise), foreign keys hold, and
/// SQLite itself waits for nobody.
#[tokio::test]
async fn settings_of_the_writer() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    let mut reading = store.reading("test").await.expect("opened");
    let mode: String = query_scalar("PRAGMA journal_mode").fetch_one(reading.connection()).await.expect("a mode");
    assert_eq!(mode, "wal");
    // A reader cannot write, whatever it is asked.
    let refused = sqlx::query("CREATE TABLE t (n)").execute(reading.connection()).await.expect_err("read only");
    assert_eq!(seaworthy_store::sqlite::classified("test", refused).class(), ErrorClass::Refused);
    assert_eq!(pragma(&store, "PRAGMA synchronous").await, 2, "full");
    assert_eq!(pragma(&store, "PRAGMA foreign_keys").await, 1);
    assert_eq!(pragma(&store, "PRAGMA busy_timeout").await, 0);

    let builder = SqliteStore::builder(directory.path().join("other.db")).synchronous(Synchronous::Normal);
    let store = builder.open().await.expect("a new file");
    assert_eq!(pragma(&store, "PRAGMA synchronous").await, 1, "normal");
}

/// CO-14, CO-21: what cannot be a store's file is refused, and says why; a file that is not SQLite's is corrupt.
#[tokio::test]
async fn what_cannot_be_opened() {
    let directory = Directory::new();
    let text = directory.path().join("letter.txt");
    std::fs::write(&text, "Dear Sir or Madam, this is more than a hundred bytes of text, ".repeat(20))
        .expect("written");
    for (path, class, why) in [
        (directory.path().to_owned(), ErrorClass::Refused, "is a directory"),
        (directory.path().join("none/work.db"), ErrorClass::Refused, "cannot be reached"),
        (":memory:".into(), ErrorClass::Refused, "a path is needed"),
        ("..".into(), ErrorClass::Refused, "is a directory"),
        ("".into(), ErrorClass::Refused, "no file's name"),
        (text, ErrorClass::Corrupt, "not one of SQLite's"),
    ] {
        let error = SqliteStore::open(&path).await.expect_err("refused");
        assert_eq!(error.class(), class, "{path:?}: {error}");
        assert!(error.to_string().starts_with("open: ") && error.to_string().contains(why), "{error}");
    }
    assert!(!directory.path().join("none").exists(), "nothing was made on the way");
}

/// CO-10: a setting that is out of its range is refused before the file is touched, and the error names it.
#[tokio::test]
async fn settings_are_checked_once() {
    let directory = Directory::new();
    let builder = || SqliteStore::builder(directory.file());
    for (builder, field) in [
        (builder().prefix("No; DROP TABLE"), "prefix"),
        (builder().request_timeout(Duration::from_millis(49)), "request_timeout"),
        (builder().request_timeout(Duration::from_secs(3601)), "request_timeout"),
        (builder().max_size(65_535), "max_size"),
    ] {
        let error = builder.open().await.expect_err("refused");
        assert_eq!(error.class(), ErrorClass::Refused);
        let cause = error.source().and_then(|source| source.downcast_ref::<ConfigError>()).expect("a setting");
        assert_eq!(cause.field(), field);
    }
    assert!(!directory.file().exists());
    let allowed = builder().prefix("my_").request_timeout(Duration::from_millis(50)).max_size(65_536);
    assert_eq!(allowed.open().await.expect("the limits themselves").tables().fill("{p}x"), "my_x");
}

/// CO-21: handles of one process share the connection that writes, however the file was called and whatever their
/// tables are called; with the last of them it goes. A handle with another way of syncing has one of its own.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_writer_in_a_process() {
    use super::{descriptors, until_descriptors, with_numbers};

    let directory = Directory::new();
    let path = directory.path().canonicalize().expect("it is there").join("work.db");
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let first = SqliteStore::open(&path).await.expect("a new file");
    with_numbers(&first).await;
    let second = SqliteStore::builder(&link).prefix("other_").open().await.expect("the same file");
    assert_eq!(second.path(), path, "links are followed");
    for number in 0..10 {
        write(if number % 2 == 0 { &first } else { &second }, number).await.expect("written");
    }
    assert_eq!(descriptors(&path), 1);
    let third = SqliteStore::builder(&path).synchronous(Synchronous::Normal).open().await.expect("the same file");
    write(&third, 10).await.expect("written");
    assert_eq!(descriptors(&path), 2);
    drop((first, second, third));
    until_descriptors(&path, 0).await;
}

/// CO-21: however many read at once, they share a few connections.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_few_readers() {
    use super::{descriptors, numbers, with_numbers};

    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    with_numbers(&store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move { numbers(&store).await });
    }
    assert!(tasks.join_all().await.iter().all(Vec::is_empty));
    let open = descriptors(store.path());
    assert!((2..=5).contains(&open), "one that writes and up to four that read: {open}");
}

/// CO-17: after `close` the file is closed, and whoever asks after that opens it again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn close_leaves_nothing_open() {
    use super::{descriptors, numbers, with_numbers};

    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    with_numbers(&store).await;
    write(&store, 1).await.expect("written");
    assert_eq!(numbers(&store).await, [1]);
    assert_eq!(descriptors(store.path()), 2, "one that writes, one that reads");
    store.close().await;
    assert_eq!(descriptors(store.path()), 0);
    assert_eq!(numbers(&store).await, [1], "one that reads needs none that writes");
    write(&store, 2).await.expect("written");
    assert_eq!(numbers(&store).await, [1, 2]);
}

/// CO-24: neither the handle nor an error shows what was written.
#[tokio::test]
async fn nothing_of_a_value_is_shown() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    let mut writing = store.writing("test").await.expect("nobody writes");
    super::run(&mut writing, "CREATE TABLE secret (word text PRIMARY KEY)").await;
    let insert = || sqlx::query("INSERT INTO secret VALUES (?1)").bind("open sesame");
    insert().execute(writing.connection()).await.expect("the first");
    let error = insert().execute(writing.connection()).await.expect_err("the second");
    let error = seaworthy_store::sqlite::classified("test", error);
    assert!(!format!("{error} {error:?} {:?} {store:?}", error.source()).contains("sesame"));
    assert!(format!("{:?}", error.source()).contains("UNIQUE"), "the driver's own error is its source");
}
