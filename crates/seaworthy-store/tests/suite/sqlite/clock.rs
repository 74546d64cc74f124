use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy_store::sqlite::SqliteStore;
use seaworthy_store::time;

use super::Directory;

/// CO-22: the row clock is the machine's wall clock, in microseconds, unless a test brings another.
#[tokio::test]
async fn the_row_clock_is_the_wall_clock() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    let (before, now, after) = (time::wall().as_micros(), store.now(), time::wall().as_micros());
    let now = u128::try_from(now).expect("after 1970");
    assert!((before..=after).contains(&now), "{before} {now} {after}");

    let stepped = Arc::new(AtomicU64::new(7));
    let clock = {
        let stepped = Arc::clone(&stepped);
        move || Duration::from_micros(stepped.load(Ordering::Relaxed))
    };
    let store = SqliteStore::builder(directory.file()).row_clock(clock).open().await.expect("the same file");
    assert_eq!(store.now(), 7);
    stepped.store(3, Ordering::Relaxed);
    assert_eq!(store.now(), 3);
}
