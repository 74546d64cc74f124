use proptest::prelude::*;
use seaworthy_leader::sqlite::{Sqlite, SqliteEpochs};
use seaworthy_leader::{Epoch, EpochError, ErrorClass, FENCE_SQL};
use seaworthy_store::sqlite::Synchronous;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor, query, query_scalar};
use tokio::task::JoinSet;

use super::{Directory, granted, store};
use crate::doubles::millis;

/// A table as `FENCE_SQL` writes to it, which keeps a history of what was accepted.
const TABLE: &str = "
CREATE TABLE my_table (id text PRIMARY KEY, data text, epoch integer NOT NULL);
CREATE TABLE history (number integer PRIMARY KEY, epoch integer NOT NULL);
CREATE TRIGGER accepted AFTER UPDATE ON my_table BEGIN INSERT INTO history (epoch) VALUES (new.epoch); END;
INSERT INTO my_table VALUES ('job', 'nothing', 0);";

async fn history(connection: &mut SqliteConnection) -> Vec<i64> {
    query_scalar("SELECT epoch FROM history ORDER BY number").fetch_all(connection).await.expect("it is there")
}

/// Whether the write was accepted.
async fn write(connection: &mut SqliteConnection, data: &str, epoch: i64) -> bool {
    let write = query(FENCE_SQL).bind(data).bind(epoch).bind("job");
    write.execute(connection).await.expect("the table is there").rows_affected() == 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// LE-53: whatever leaders write to a row of their own by `FENCE_SQL`, in whatever order, the history of accepted
    /// epochs never decreases; what is refused has changed nothing, and the newest leader always writes.
    #[test]
    fn le_53_history_never_decreases(sent in proptest::collection::vec(1..12i64, 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = SqliteConnection::connect(":memory:").await.expect("memory");
            connection.execute(TABLE).await.expect("it is SQL");
            let mut accepted = Vec::new();
            for (number, epoch) in sent.into_iter().enumerate() {
                let before = accepted.last().copied().unwrap_or(0);
                let data = number.to_string();
                let is_accepted = write(&mut connection, &data, epoch).await;
                prop_assert_eq!(is_accepted, epoch >= before);
                accepted.extend(is_accepted.then_some(epoch));
                let written: String =
                    query_scalar("SELECT data FROM my_table").fetch_one(&mut connection).await.expect("one row");
                prop_assert_eq!(written == data, is_accepted);
            }
            prop_assert!(accepted.is_sorted());
            prop_assert_eq!(history(&mut connection).await, accepted);
            Ok(())
        })?;
    }
}

/// LE-53: so it is with 8 leaders, old and new, that write at the same time; some of the old ones are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn le_53_at_the_same_time() {
    let directory = Directory::new();
    granted(&directory.engine().await, "a").await;
    let mut connection = directory.stranger().await;
    connection.execute(TABLE).await.expect("it is SQL");
    let mut writers = JoinSet::new();
    for epoch in 1..=8 {
        let mut connection = directory.stranger().await;
        writers.spawn(async move {
            let mut refused = 0;
            for _ in 0..20 {
                refused += usize::from(!write(&mut connection, "data", epoch).await);
            }
            (epoch, refused)
        });
    }
    let mut outcomes = writers.join_all().await;
    outcomes.sort_unstable();
    let history = history(&mut connection).await;
    assert!(history.is_sorted(), "{history:?}");
    let refused: usize = outcomes.iter().map(|(_, refused)| refused).sum();
    assert_eq!((history.len() + refused, outcomes[7]), (160, (8, 0)));
    assert!(refused > 0, "nobody met");
}

/// LE-54: a memory in a file outlasts the process that remembers, and is that of all who have the file open; names are
/// told apart.
#[tokio::test]
async fn le_54_over_restarts() {
    let directory = Directory::new();
    let epoch = Epoch::new;
    {
        let store = store(directory.builder()).await;
        let epochs = SqliteEpochs::on(&store);
        assert_eq!(epochs.newest("a").await.expect("up"), None);
        for number in [0, 7, 7] {
            epochs.accept("a", epoch(number)).await.expect("not below 7");
        }
        store.close().await;
    }
    let epochs = SqliteEpochs::on(&store(directory.elsewhere()).await);
    let EpochError::Stale(stale) = epochs.accept("a", epoch(6)).await.expect_err("7 has come") else { panic!() };
    assert_eq!((stale.epoch, stale.newest), (epoch(6), epoch(7)));
    assert_eq!(EpochError::Stale(stale).to_string(), "epoch 6 is over: 7 has come");
    epochs.accept("a", epoch(7)).await.expect("the newest");
    epochs.accept("b", epoch(1)).await.expect("another name");
    assert_eq!(epochs.newest("a").await.expect("up"), Some(epoch(7)));
}

/// LE-54: of epochs that come at the same time, by two stores, those that are accepted never decrease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn le_54_at_the_same_time() {
    let directory = Directory::new();
    let stores = [store(directory.builder().synchronous(Synchronous::Normal)).await, store(directory.builder()).await];
    Sqlite::new(&stores[0]).migrate().await.expect("installed");
    let mut connection = directory.stranger().await;
    let trigger = "CREATE TABLE history (number integer PRIMARY KEY, epoch integer NOT NULL);
        CREATE TRIGGER accepted AFTER UPDATE ON seaworthy_epoch
        BEGIN INSERT INTO history (epoch) VALUES (new.epoch); END";
    connection.execute(trigger).await.expect("it is SQL");
    let mut askers = JoinSet::new();
    for n in 0..16 {
        let epochs = SqliteEpochs::on(&stores[n % 2]);
        askers.spawn(async move {
            let mut refused = 0;
            for step in 0..10 {
                // Each goes up by itself, and back now and then.
                let epoch = Epoch::new(10 + step * 3 - if step % 4 == 3 { 9 } else { 0 });
                match epochs.accept("a", epoch).await {
                    Ok(()) => {}
                    Err(EpochError::Stale(stale)) => {
                        assert!(stale.newest > epoch, "{stale}");
                        refused += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            refused
        });
    }
    let refused: usize = askers.join_all().await.into_iter().sum();
    let history = history(&mut connection).await;
    assert!(history.is_sorted() && history.last() == Some(&37), "{history:?}");
    assert!(refused >= 32, "each went back twice");
}

/// LE-54: whoever leads already is let in while others write to the file, and writes nothing itself; a new leader waits
/// for the lock, for the store's limit.
#[tokio::test]
async fn le_54_the_newest_takes_no_lock() {
    let directory = Directory::new();
    let epochs = SqliteEpochs::on(&store(directory.builder().request_timeout(millis(200))).await);
    epochs.accept("a", Epoch::new(2)).await.expect("the first");
    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("free");
    epochs.accept("a", Epoch::new(2)).await.expect("the newest");
    assert!(epochs.accept("a", Epoch::new(1)).await.expect_err("2 has come").is_stale());
    let error = epochs.accept("a", Epoch::new(3)).await.expect_err("locked");
    assert!(matches!(&error, EpochError::Store(error) if error.class() == ErrorClass::Unavailable), "{error}");
    other.execute("ROLLBACK").await.expect("ours");
    epochs.accept("a", Epoch::new(3)).await.expect("free again");
}

/// LE-54, CO-14: an epoch beyond what a row can have is refused, and remembered by nobody; the last one that it can
/// have is accepted. A row that cannot be understood is corrupt.
#[tokio::test]
async fn le_54_borders() {
    let directory = Directory::new();
    let epochs = SqliteEpochs::on(&store(directory.builder()).await);
    let most = u64::try_from(i64::MAX).expect("positive");
    for beyond in [most + 1, u64::MAX] {
        let error = epochs.accept("a", Epoch::new(beyond)).await.expect_err("beyond");
        assert!(matches!(&error, EpochError::Store(error) if error.class() == ErrorClass::Refused), "{error}");
    }
    assert_eq!(epochs.newest("a").await.expect("up"), None);
    epochs.accept("a", Epoch::new(most)).await.expect("the last one");
    let mut other = directory.stranger().await;
    for wrong in ["-1", "'one'", "0.5"] {
        let update = format!("UPDATE seaworthy_epoch SET epoch = {wrong}");
        other.execute(sqlx::AssertSqlSafe(update)).await.expect("updated");
        let error = epochs.accept("a", Epoch::new(1)).await.expect_err("corrupt");
        assert!(matches!(&error, EpochError::Store(error) if error.class() == ErrorClass::Corrupt), "{wrong}: {error}");
        assert!(epochs.newest("a").await.is_err());
    }
    assert!(format!("{epochs:?}").starts_with("SqliteEpochs { store: SqliteStore { path: "));
}

/// LE-54: over HTTP: older epochs are refused with 409, and what the store cannot say with 503; the inner service is
/// not asked then.
#[cfg(feature = "http")]
#[tokio::test]
async fn le_54_layer() {
    use seaworthy_leader::{EPOCH_HEADER, EpochLayer};
    use tower::{Layer, ServiceExt};

    let directory = Directory::new();
    let epochs = SqliteEpochs::on(&store(directory.builder().request_timeout(millis(100))).await);
    let (inner, mut handle) = tower_test::mock::pair::<http::Request<()>, http::Response<String>>();
    let service = EpochLayer::new(epochs.clone(), "a").layer(inner);
    let request = |epoch: u64| http::Request::put("/").header(EPOCH_HEADER, Epoch::new(epoch)).body(()).expect("valid");
    let answering = tokio::spawn(async move {
        let mut asked = 0;
        while let Some((_, answer)) = handle.next_request().await {
            answer.send_response(http::Response::new("done".to_owned()));
            asked += 1;
        }
        asked
    });
    let mut other = directory.stranger().await;
    for (epoch, begin, status) in [
        (8, "ROLLBACK", 200),
        (8, "ROLLBACK", 200),
        (7, "ROLLBACK", 409),
        (9, "BEGIN IMMEDIATE", 503),
        (9, "ROLLBACK", 200),
    ] {
        let _no_transaction = other.execute(begin).await;
        let answer = service.clone().oneshot(request(epoch)).await.expect("it answers");
        assert_eq!(answer.status(), status, "{epoch}");
    }
    let unnumbered = http::Request::put("/").body(()).expect("valid");
    assert_eq!(service.oneshot(unnumbered).await.expect("it answers").status(), 200);
    drop(epochs);
    assert_eq!(answering.await.expect("it ends"), 4);
}
