use seaworthy_leader::postgres::PostgresEpochs;
use seaworthy_leader::{Epoch, EpochError, ErrorClass};
use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;
use sqlx::Row;
use tokio::task::JoinSet;

use super::support::{Space, millis};

const ACCEPT: &str = include_str!("../../../../seaworthy-leader/src/postgres/epochs/accept.sql");
const NEWEST: &str = include_str!("../../../../seaworthy-leader/src/postgres/epochs/newest.sql");

async fn epochs(space: &Space) -> PostgresEpochs {
    PostgresEpochs::on(&space.store().await)
}

fn class(error: &EpochError) -> Option<ErrorClass> {
    match error {
        EpochError::Store(error) => Some(error.class()),
        _ => None,
    }
}

/// LE-54: a memory in Postgres outlasts the program that remembers, and is that of all; names are told apart. Without its
/// table it is refused, and says what to call.
#[tokio::test(flavor = "multi_thread")]
async fn le_54_over_restarts() {
    let empty = Space::empty().await;
    let error = epochs(&empty).await.accept("a", Epoch::new(1)).await.unwrap_err();
    assert_eq!(class(&error), Some(ErrorClass::Refused));
    assert!(error.to_string().contains("seaworthy_leader::postgres::migrate"), "{error}");

    let space = Space::of_leases().await;
    let before = epochs(&space).await;
    assert_eq!(before.newest("a").await.unwrap(), None);
    for number in [0, 7, 7] {
        before.accept("a", Epoch::new(number)).await.unwrap();
    }
    let after = epochs(&space).await;
    let EpochError::Stale(stale) = after.accept("a", Epoch::new(6)).await.unwrap_err() else { panic!("7 has come") };
    assert_eq!((stale.epoch, stale.newest), (Epoch::new(6), Epoch::new(7)));
    after.accept("a", Epoch::new(7)).await.unwrap();
    after.accept("b", Epoch::new(1)).await.unwrap();
    assert_eq!(before.newest("a").await.unwrap(), Some(Epoch::new(7)));
}

/// LE-54: of epochs that come at the same time those that are accepted never decrease.
#[tokio::test(flavor = "multi_thread")]
async fn le_54_at_the_same_time() {
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let history = "CREATE TABLE history (number bigint GENERATED ALWAYS AS IDENTITY, epoch bigint);
        CREATE FUNCTION accepted() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO history (epoch) VALUES (new.epoch); RETURN new; END $$;
        CREATE TRIGGER accepted AFTER UPDATE ON seaworthy_epoch FOR EACH ROW EXECUTE FUNCTION accepted()";
    session.run(history).await;
    let mut askers = JoinSet::new();
    for n in 0..16 {
        let epochs = epochs(&space).await;
        askers.spawn(async move {
            let mut refused = 0;
            for step in 0..10 {
                // Each goes up by itself, and back now and then.
                let epoch = Epoch::new(n % 3 + 10 + step * 3 - if step % 4 == 3 { 9 } else { 0 });
                match epochs.accept("a", epoch).await {
                    Ok(()) => {}
                    Err(EpochError::Stale(stale)) if stale.newest > epoch => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            refused
        });
    }
    let refused: usize = askers.join_all().await.into_iter().sum();
    assert!(refused >= 32, "each went back twice, and {refused} were refused");
    let fell = "SELECT count(*) FROM history a JOIN history b ON b.number = a.number + 1 AND b.epoch < a.epoch";
    assert_eq!(session.number(fell).await, 0);
    assert_eq!(session.number("SELECT max(epoch) FROM history").await, 39);
}

/// LE-54, CO-13: who sends the highest epoch again waits for no lock; a new leader waits for the store's limit at most.
#[tokio::test(flavor = "multi_thread")]
async fn le_54_the_newest_takes_no_lock() {
    let space = Space::of_leases().await;
    let store = space.builder().lock_timeout(millis(200)).request_timeout(millis(600)).connect().await.unwrap();
    let epochs = PostgresEpochs::on(&store);
    epochs.accept("a", Epoch::new(2)).await.unwrap();
    let mut session = space.session().await;
    session.run("BEGIN; SELECT epoch FROM seaworthy_epoch FOR UPDATE").await;
    epochs.accept("a", Epoch::new(2)).await.unwrap();
    assert!(epochs.accept("a", Epoch::new(1)).await.unwrap_err().is_stale());
    let error = epochs.accept("a", Epoch::new(3)).await.unwrap_err();
    assert_eq!(class(&error), Some(ErrorClass::Unavailable), "{error}");
    session.run("ROLLBACK").await;
    epochs.accept("a", Epoch::new(3)).await.unwrap();
}

/// LE-54, CO-14: an epoch beyond what a row can have is refused, and remembered by nobody; the last one that it can have
/// is accepted. A row that makes no sense is corrupt.
#[tokio::test(flavor = "multi_thread")]
async fn le_54_borders() {
    let space = Space::of_leases().await;
    let epochs = epochs(&space).await;
    let most = u64::try_from(i64::MAX).unwrap();
    for beyond in [most + 1, u64::MAX] {
        let error = epochs.accept("a", Epoch::new(beyond)).await.unwrap_err();
        assert_eq!(class(&error), Some(ErrorClass::Refused), "{error}");
    }
    assert_eq!(epochs.newest("a").await.unwrap(), None);
    epochs.accept("a", Epoch::new(most)).await.unwrap();
    space.session().await.run("UPDATE seaworthy_epoch SET epoch = -1").await;
    assert_eq!(class(&epochs.accept("a", Epoch::new(1)).await.unwrap_err()), Some(ErrorClass::Corrupt));
}

/// CO-08c: each statement begins with what it does and under which lock, is one statement, and runs alone.
#[tokio::test(flavor = "multi_thread")]
async fn each_statement_runs_alone() {
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let names = TableNames::default().schema(space.name()).unwrap();
    for (name, text) in [("accept", ACCEPT), ("newest", NEWEST)] {
        assert!(text.starts_with("-- ") && text.contains("lock"), "{name} says what it does");
        session.run(&format!("PREPARE {name} AS {}", Statement::new(&names, text).as_str())).await;
    }
    session.run("EXECUTE accept('a', 7); EXECUTE accept('a', 6)").await;
    assert_eq!(session.row("EXECUTE newest('a')").await.get::<i64, _>(0), 7);
}
