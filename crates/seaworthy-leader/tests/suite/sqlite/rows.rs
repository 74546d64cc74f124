use std::path::Path;

use seaworthy_leader::ErrorClass;
use seaworthy_leader::sqlite::{Sqlite, SqliteStore};
use seaworthy_leader::store::{Acquired, Bid, FencingStore, LeaseStore, Renewal, Tenure};
use seaworthy_store::TableNames;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query_as, raw_sql};

use super::{CANDIDATE, Directory, TTL, WHENEVER, acquire, bid, documented, granted, opened, read, renew};

type Object = (String, String, Option<String>);

async fn objects(connection: &mut SqliteConnection) -> Vec<Object> {
    let all = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
    query_as(all).fetch_all(connection).await.expect("it can be read")
}

async fn versions(connection: &mut SqliteConnection) -> Vec<(String, i64, i64)> {
    let all = "SELECT package, major, version FROM seaworthy_schema";
    query_as(all).fetch_all(connection).await.expect("it can be read")
}

/// CO-18: the tables that migrating makes are those of docs/schema-sqlite.sql, to the letter, and a file that was made
/// from that text is taken as it is.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (made, written) = (Directory::new(), Directory::new());
    granted(&made.engine().await, "a").await;
    SqliteStore::open(written.file()).await.expect("a new file");
    let mut by_hand = written.stranger().await;
    let text = documented("schema-sqlite.sql");
    raw_sql(AssertSqlSafe(text)).execute(&mut by_hand).await.expect("it is SQL");

    let mut stranger = made.stranger().await;
    let expected = objects(&mut stranger).await;
    assert!(expected.iter().any(|(kind, name, _)| kind == "table" && name == "seaworthy_lease"));
    assert_eq!(objects(&mut by_hand).await, expected);
    assert_eq!(versions(&mut by_hand).await, versions(&mut stranger).await);
    granted(&written.engine().await, "a").await;
    assert_eq!(objects(&mut by_hand).await, expected, "nothing was added");
}

/// CO-18: a file whose schema is of another major version is refused at the first request, which changes nothing; a
/// newer one of the same is used.
#[tokio::test]
async fn other_versions() {
    let directory = Directory::new();
    granted(&directory.engine().await, "a").await;
    let mut other = directory.stranger().await;
    other.execute("UPDATE seaworthy_schema SET version = version + 1").await.expect("updated");
    assert_eq!(granted(&directory.engine().await, "b").await.epoch, 1);
    other.execute("UPDATE seaworthy_schema SET major = 2").await.expect("updated");
    let engine = directory.engine().await;
    let error = engine.acquire(&CANDIDATE, &[bid("c")], WHENEVER).await.expect_err("of another major version");
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().contains("major version 2"), "{error}");
    assert_eq!(engine.migrate().await.expect_err("it is").class(), ErrorClass::Refused);
    let rows: (i64,) = query_as("SELECT count(*) FROM seaworthy_lease").fetch_one(&mut other).await.expect("read");
    assert_eq!(rows, (2,));
}

/// CO-19: another prefix is other leases in the same file.
#[tokio::test]
async fn a_prefix_moves_the_tables() {
    let directory = Directory::new();
    let here = directory.engine().await;
    let there = opened(directory.builder().prefix("tenant_7_")).await;
    assert_eq!(granted(&here, "a").await.epoch, 1);
    assert_eq!(granted(&there, "a").await.epoch, 1);
    let mut other = directory.stranger().await;
    let rows: (i64,) = query_as("SELECT count(*) FROM tenant_7_lease").fetch_one(&mut other).await.expect("read");
    assert_eq!(rows, (1,));
}

/// CO-14: a row that cannot be understood is corrupt to whoever asks for it, is not granted, and holds up no other.
/// Renewing it does not find it, unless its holder can show that it is its own and it may be live.
#[tokio::test]
async fn rows_that_cannot_be_understood() {
    let wrongs = [
        "epoch = -1",
        "epoch = 'one'",
        "epoch = 1.5",
        "term = x'00'",
        "term = 5",
        "holder = x'ff'",
        "expires_at = 'tomorrow'",
        "lease_from = 0.5",
    ];
    for wrong in wrongs {
        let directory = Directory::new();
        let engine = directory.engine().await;
        let (held, beside) = (granted(&engine, "a").await, granted(&engine, "b").await);
        let mut other = directory.stranger().await;
        let update = format!("UPDATE seaworthy_lease SET {wrong} WHERE name = 'a'");
        other.execute(AssertSqlSafe(update)).await.expect("updated");
        let error = engine.acquire(&CANDIDATE, &[bid("a")], WHENEVER).await.expect_err("not to be understood");
        assert_eq!(error.class(), ErrorClass::Corrupt, "{wrong}: {error}");
        let error = engine.read(&["a".into()]).await.expect_err("not to be understood");
        assert_eq!(error.class(), ErrorClass::Corrupt, "{wrong}: {error}");
        // Beside others it is left alone.
        let answers = engine.acquire(&CANDIDATE, &[bid("a"), bid("b"), bid("c")], WHENEVER).await.expect("up");
        let expected = [&Acquired::Locked, &Acquired::Granted { epoch: 1, before: 0 }];
        assert_eq!([&answers.each[0], &answers.each[2]], expected, "{wrong}");
        assert!(matches!(answers.each[1], Acquired::Held(_)), "{wrong}");
        let renewed = engine.renew(&[held, beside], TTL, WHENEVER).await.expect("up").each;
        let is_lost = !(wrong.starts_with("holder") || wrong.starts_with("lease_from"));
        assert_eq!(renewed, [if is_lost { Renewal::Lost } else { Renewal::Renewed }, Renewal::Renewed], "{wrong}");
        let is_right = engine.read(&["a".into()]).await.is_ok();
        assert_eq!(is_right, wrong.starts_with("lease_from"), "{wrong}: renewing puts its time right");
    }
}

/// LE-03, CO-14: an epoch beyond what a row can have is an error, and not one that comes again; the last one that it
/// can have is granted.
#[tokio::test]
async fn the_last_epoch() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let most = u64::try_from(i64::MAX).expect("positive");
    for seen in [u64::MAX, most + 1, most] {
        let mine = Bid { seen, ..bid("a") };
        let error = engine.acquire(&CANDIDATE, std::slice::from_ref(&mine), WHENEVER).await.expect_err("beyond");
        assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");
    }
    let last = Bid { seen: most - 1, ..bid("a") };
    assert_eq!(acquire(&engine, &last).await, Acquired::Granted { epoch: most, before: 0 });
    let held = Tenure { name: last.name, epoch: most, term: last.term };
    assert_eq!(renew(&engine, &held).await, Renewal::Renewed);
    assert_eq!(renew(&engine, &Tenure { epoch: u64::MAX, ..held.clone() }).await, Renewal::Lost);
    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("free");
    assert!(engine.guard(&mut other, &held.name, most, TTL).await.expect("up"));
    assert!(!engine.guard(&mut other, &held.name, u64::MAX, TTL).await.expect("up"));
    other.execute("ROLLBACK").await.expect("ours");
    engine.release(&held.name, held.term).await.expect("up");
    let error = engine.acquire(&CANDIDATE, &[bid("a")], WHENEVER).await.expect_err("there is none after it");
    assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");
    assert_eq!(read(&engine, "a").await, None);
}

/// CO-14: a row whose times are the first or the last that there are is no panic: it is over, or held.
#[tokio::test]
async fn the_first_and_the_last_moment() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    for (from, until, is_live) in [
        (i64::MIN, i64::MIN, false),
        (i64::MIN, i64::MAX, true),
        (i64::MAX, i64::MIN, false),
        (i64::MAX, i64::MAX, false),
        (0, i64::MAX, true),
        (-1, 0, false),
    ] {
        granted(&engine, &format!("{from} {until}")).await;
        let mut other = directory.stranger().await;
        let update = format!("UPDATE seaworthy_lease SET lease_from = {from}, expires_at = {until}");
        other.execute(AssertSqlSafe(format!("{update} WHERE name = '{from} {until}'"))).await.expect("updated");
        let name = format!("{from} {until}");
        assert_eq!(read(&engine, &name).await.is_some(), is_live, "{name}");
        assert_eq!(matches!(acquire(&engine, &bid(&name)).await, Acquired::Held(_)), is_live, "{name}");
    }
}

/// CO-08c: each statement runs alone, says in a comment what it does and under which lock, and finds its rows by an
/// index.
#[tokio::test]
async fn each_statement_runs_alone() {
    let directory = Directory::new();
    directory.engine().await.migrate().await.expect("installed");
    let mut other = directory.stranger().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("it is there") {
        let path = file.expect("read").path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with("-- "), "{} says nothing", path.display());
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        if name.starts_with("schema_") {
            continue;
        }
        assert!(text.contains("lock"), "{name} does not say under which lock");
        let plan = format!("EXPLAIN QUERY PLAN {}", TableNames::default().fill(&text));
        let plan: Vec<(i64, i64, i64, String)> =
            query_as(AssertSqlSafe(plan)).fetch_all(&mut other).await.expect(&name);
        let scans = plan.iter().filter(|step| step.3.starts_with("SCAN"));
        assert_eq!(scans.count(), 0, "{name}: {plan:?}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}

/// CO-24: what an engine shows of itself is the file.
#[tokio::test]
async fn debug() {
    let directory = Directory::new();
    let engine: Sqlite = directory.engine().await;
    assert!(format!("{engine:?}").starts_with("Sqlite { store: SqliteStore { path: "), "{engine:?}");
}
