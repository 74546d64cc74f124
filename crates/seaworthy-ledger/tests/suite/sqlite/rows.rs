use std::path::Path;

use bytes::Bytes;
use seaworthy_ledger::ErrorClass;
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::store::{LedgerStore, StepKept};
use seaworthy_store::TableNames;
use seaworthy_store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query_as, raw_sql};

use super::{Directory, documented, granted, key};

type Object = (String, String, Option<String>);

async fn objects(connection: &mut SqliteConnection) -> Vec<Object> {
    let all = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
    query_as(all).fetch_all(connection).await.expect("it can be read")
}

async fn versions(connection: &mut SqliteConnection) -> Vec<(String, i64, i64)> {
    let all = "SELECT package, major, version FROM seaworthy_schema";
    query_as(all).fetch_all(connection).await.expect("it can be read")
}

/// CO-18, LG-15: the tables that migrating makes are those of docs/schema-sqlite.sql, to the letter, and a file that was
/// made from that text is taken as it is.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (made, written) = (Directory::new(), Directory::new());
    let engine = made.engine().await;
    granted(&engine, &key("a")).await;
    SqliteStore::open(written.file()).await.expect("a new file");
    let mut by_hand = written.stranger().await;
    let text = documented("schema-sqlite.sql");
    raw_sql(AssertSqlSafe(text)).execute(&mut by_hand).await.expect("it is SQL");

    let mut stranger = made.stranger().await;
    let expected = objects(&mut stranger).await;
    assert!(expected.iter().any(|(kind, name, _)| kind == "index" && name == "seaworthy_ledger_expires"));
    assert_eq!(objects(&mut by_hand).await, expected);
    assert_eq!(versions(&mut by_hand).await, versions(&mut stranger).await);
    granted(&written.engine().await, &key("a")).await;
    assert_eq!(objects(&mut by_hand).await, expected, "nothing was added");
}

/// CO-18: a file whose schema is of another major version is refused at the first request, which changes nothing; a
/// newer one of the same is used.
#[tokio::test]
async fn other_versions() {
    let directory = Directory::new();
    granted(&directory.engine().await, &key("a")).await;
    let mut other = directory.stranger().await;
    other.execute("UPDATE seaworthy_schema SET version = version + 1").await.expect("updated");
    assert_eq!(granted(&directory.engine().await, &key("b")).await.fence, 1);
    other.execute("UPDATE seaworthy_schema SET major = 2").await.expect("updated");
    let engine = Sqlite::new(&directory.builder().open().await.expect("a file"));
    let error = engine.claim(&super::attempt(&key("c"))).await.expect_err("of another major version");
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().contains("major version 2"), "{error}");
    let rows: (i64,) = query_as("SELECT count(*) FROM seaworthy_ledger").fetch_one(&mut other).await.expect("read");
    assert_eq!(rows, (2,));
}

/// CO-19: another prefix is another ledger in the same file.
#[tokio::test]
async fn a_prefix_moves_the_tables() {
    let directory = Directory::new();
    let here = directory.engine().await;
    let there = super::opened(directory.builder().prefix("tenant_7_")).await;
    assert_eq!(granted(&here, &key("a")).await.fence, 1);
    assert_eq!(granted(&there, &key("a")).await.fence, 1);
    let mut other = directory.stranger().await;
    let rows: (i64,) = query_as("SELECT count(*) FROM tenant_7_ledger").fetch_one(&mut other).await.expect("read");
    assert_eq!(rows, (1,));
}

/// CO-14: a row that cannot be understood is corrupt, whoever asks for it, and is left as it is.
#[tokio::test]
async fn rows_that_cannot_be_understood() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    granted(&engine, &key("a")).await;
    let mut other = directory.stranger().await;
    for wrong in ["state = 7", "fence = 'one', state = 2", "state = 1, finished_at = NULL", "state = 0, owner = 5"] {
        let update = format!("UPDATE seaworthy_ledger SET {wrong}");
        other.execute(AssertSqlSafe(update)).await.expect("updated");
        let error = engine.claim(&super::attempt(&key("a"))).await.expect_err("not to be understood");
        assert_eq!(error.class(), ErrorClass::Corrupt, "{wrong}: {error}");
    }
    granted(&engine, &key("b")).await;
}

/// CO-08c: each statement runs alone, says in a comment what it does and under which lock, and finds its rows by an
/// index.
#[tokio::test]
async fn each_statement_runs_alone() {
    let directory = Directory::new();
    directory.engine().await;
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
        let plan = format!("EXPLAIN QUERY PLAN {}", TableNames::default().fill(&text));
        let plan: Vec<(i64, i64, i64, String)> =
            query_as(AssertSqlSafe(plan)).fetch_all(&mut other).await.expect(&name);
        let steps: Vec<&str> = plan.iter().map(|step| &*step.3).collect();
        let scans = steps.iter().filter(|step| step.starts_with("SCAN") && !step.contains("USING"));
        assert_eq!(scans.count(), 0, "{name}: {steps:?}");
        let uses = |index: &str| steps.iter().any(|step| step.contains(index));
        match &*name {
            "sweep" => assert!(uses("seaworthy_ledger_expires") && !uses("TEMP B-TREE"), "{steps:?}"),
            "stale" => assert!(uses("seaworthy_ledger_running"), "{steps:?}"),
            _ => {}
        }
        seen += 1;
    }
    assert_eq!(seen, 15);
}

/// WF-15: steps whose row somebody has removed by hand, with a tool that does not know of foreign keys, are not taken for
/// those of the next claim.
#[tokio::test]
async fn steps_without_a_row_are_forgotten() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let claim = granted(&engine, &key("a")).await;
    let stored = engine.keep_step(&claim, "network", &Bytes::from_static(b"net-7")).await.expect("up");
    assert_eq!(stored, StepKept::Stored(Bytes::from_static(b"net-7")));
    let mut other = directory.stranger().await;
    other.execute("PRAGMA foreign_keys = OFF").await.expect("set");
    other.execute("DELETE FROM seaworthy_ledger").await.expect("deleted");
    assert!(engine.step(&key("a"), "network").await.expect("up").is_some(), "it was left behind");
    assert_eq!(granted(&engine, &key("a")).await.fence, 1);
    assert_eq!(engine.step(&key("a"), "network").await.expect("up"), None);
}
