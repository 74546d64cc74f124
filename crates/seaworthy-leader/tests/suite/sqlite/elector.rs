use seaworthy_leader::sqlite::{Sqlite, SqliteElector, SqliteStore};
use seaworthy_leader::{Elector, ElectorBuilder, ErrorClass, Term};
use seaworthy_store::time::now;
use sqlx::Executor;

use super::{Directory, granted, read, store};
use crate::doubles::{changes, millis, seconds};

fn quick(store: &SqliteStore) -> ElectorBuilder<Sqlite> {
    let elector = SqliteElector::on(store).ttl(seconds(3)).renew_every(seconds(1)).request_timeout(millis(500));
    elector.retry_renew(millis(100)).stop_time(millis(500)).margin(millis(200)).poll(millis(100))
}

/// LE-71: what an elector on a file does unless it is told otherwise: the bound is 16.5 s, and each setting is at its
/// border where the sum shows it.
#[tokio::test]
async fn le_71_defaults() {
    let directory = Directory::new();
    let store = store(directory.builder()).await;
    let defaults = || SqliteElector::on(&store);
    let elector = defaults().build().expect("they fit together");
    assert_eq!(elector.failover_bound(), millis(16_500));
    let pace = elector.pace();
    assert_eq!((pace.ttl, pace.stop_time, pace.poll), (seconds(8), seconds(2), seconds(2)));
    // renew_every 2.5 s, request limit 2 s, margin 400 ms and stop time 2 s are 6.9 s.
    assert!(defaults().stop_time(millis(3_099)).build().is_ok());
    assert!(defaults().stop_time(millis(3_100)).build().is_err());
    assert!(defaults().request_timeout(millis(2_499)).build().is_ok());
    assert!(defaults().request_timeout(millis(2_500)).build().is_err(), "renewed every 2.5 s");
    assert!(defaults().retry_renew(millis(2_500)).build().is_ok());
    assert_eq!(defaults().request_timeout(seconds(1)).failover_bound(), millis(13_500), "2 s thrice before");
    let term = elector.campaign("a").await.expect("nobody leads");
    let left = term.deadline().expect("it is valid") - now().into_std();
    assert!(left <= millis(7_600) && left > millis(7_000), "{left:?}: ttl less 400 ms");
    term.resign().await;
}

/// LE-07: a row that was deleted, or restored from an older copy of the file, is put right by whoever remembers, and
/// told as `EpochWentBack`; whoever led finds out at the next renewal.
#[tokio::test]
async fn le_07_rows_that_went_back() {
    let directory = Directory::new();
    let store = store(directory.builder()).await;
    let (told, observer) = changes();
    let elector = quick(&store).observer(observer).build().expect("it fits");
    for epoch in 1..=3 {
        let term = elector.campaign("a").await.expect("nobody leads");
        assert_eq!(term.epoch().get(), epoch);
        term.resign().await;
    }
    let mut other = directory.stranger().await;
    for (wrong, got, next) in [
        ("DELETE FROM seaworthy_lease", 0, 4),
        ("UPDATE seaworthy_lease SET epoch = 2, expires_at = 0, lease_from = 0", 2, 5),
    ] {
        other.execute(wrong).await.expect("done");
        let term = elector.campaign("a").await.expect("nobody leads");
        assert_eq!(term.epoch().get(), next, "{wrong}");
        let last = told.texts("epoch_went_back").pop();
        assert_eq!(last, Some(format!("seen={} got={got} ", next - 1)));
        term.resign().await;
    }
    let term: Term<Sqlite> = elector.campaign("a").await.expect("nobody leads");
    other.execute("DELETE FROM seaworthy_lease").await.expect("done");
    tokio::time::timeout(seconds(2), term.ended().requested()).await.expect("told at the next renewal");
    assert!(!term.is_valid());
    drop(term);
    assert_eq!(elector.campaign("a").await.expect("nobody leads").epoch().get(), 7);
}

/// LE-35, CO-14: a file whose tables are of another version is refused, at the first request.
#[tokio::test]
async fn another_version_is_refused() {
    let directory = Directory::new();
    granted(&directory.engine().await, "a").await;
    directory.stranger().await.execute("UPDATE seaworthy_schema SET major = 2").await.expect("updated");
    let elector = quick(&store(directory.builder()).await).build().expect("it fits");
    let error = elector.campaign("b").await.expect_err("of another version");
    assert_eq!(error.class(), Some(ErrorClass::Refused));
}

/// CO-13: nothing that is asked of a file that others keep locked waits longer than the elector's limit, the first
/// request, which installs the tables, included; a campaign waits, and leads when the lock is gone.
#[tokio::test]
async fn limits_hold_while_the_file_is_locked() {
    for is_installed in [false, true] {
        let directory = Directory::new();
        let store = store(directory.builder()).await;
        if is_installed {
            Sqlite::new(&store).migrate().await.expect("installed");
        }
        let mut other = directory.stranger().await;
        other.execute("BEGIN IMMEDIATE").await.expect("free");
        let elector = quick(&store).build().expect("it fits");
        let began = now();
        let error = elector.try_campaign("a").await.expect_err("locked");
        assert!(error.is_unavailable(), "{error}");
        assert!(now() - began < millis(1_500), "{:?}", now() - began);
        let campaign = elector.campaign("a");
        let mut campaign = std::pin::pin!(campaign);
        tokio::time::timeout(seconds(1), campaign.as_mut()).await.expect_err("it waits");
        other.execute("ROLLBACK").await.expect("ours");
        campaign.await.expect("free").resign().await;
    }
}

/// CO-14, LE-37: a corrupt row is its own candidate's error, also if it is the first that the elector asks for, and
/// others lead beside it.
#[tokio::test]
async fn a_corrupt_row_is_its_own_error() {
    let directory = Directory::new();
    granted(&directory.engine().await, "a").await;
    directory.stranger().await.execute("UPDATE seaworthy_lease SET term = x'00'").await.expect("updated");
    let elector = quick(&store(directory.builder()).await).build().expect("it fits");
    let (a, b) = tokio::join!(elector.campaign("a"), elector.campaign("b"));
    assert_eq!(a.expect_err("corrupt").class(), Some(ErrorClass::Corrupt));
    assert_eq!(b.expect("free").epoch().get(), 1);
}

/// LE-05, LE-12: a leader whose file is locked for longer than its lease is told, and is over, before anybody else can
/// lead; then the first to ask leads.
#[tokio::test]
async fn a_locked_file_ends_the_term() {
    let directory = Directory::new();
    let store = store(directory.builder()).await;
    let elector = quick(&store).build().expect("it fits");
    let term = elector.campaign("a").await.expect("free");
    let engine = Sqlite::new(&store);
    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("free");
    tokio::time::timeout(seconds(4), term.ended().requested()).await.expect("told");
    assert!(term.is_valid(), "its work has its stop time");
    assert!(read(&engine, "a").await.is_some(), "nobody else can lead");
    while term.is_valid() {
        assert!(read(&engine, "a").await.is_some());
        seaworthy_store::time::sleep(millis(20)).await;
    }
    seaworthy_store::time::sleep(millis(300)).await;
    other.execute("ROLLBACK").await.expect("ours");
    assert_eq!(read(&engine, "a").await, None);
    assert_eq!(granted(&engine, "a").await.epoch, 2);
}
