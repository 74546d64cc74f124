use std::path::Path;

use seaworthy_queue::ErrorClass;
use seaworthy_queue::sqlite::{Sqlite, SqliteStore};
use seaworthy_queue::store::{Due, NewJob, Producer};
use seaworthy_store::TableNames;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query_as, raw_sql};

use super::{Directory, VISIBILITY, accept, counts, documented, ids, job, jobs, opened};

type Object = (String, String, Option<String>);

async fn objects(connection: &mut SqliteConnection) -> Vec<Object> {
    let all = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name";
    query_as(all).fetch_all(connection).await.expect("it can be read")
}

/// CO-18, QU-50: the tables that migrating makes are those of docs/schema-sqlite.sql, to the letter, and a file that was
/// made from that text is taken as it is.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (made, written) = (Directory::new(), Directory::new());
    accept(&made.engine().await, &[job("a")]).await;
    SqliteStore::open(written.file()).await.expect("a new file");
    let mut by_hand = written.stranger().await;
    let text = documented("schema-sqlite.sql");
    raw_sql(AssertSqlSafe(text)).execute(&mut by_hand).await.expect("it is SQL");

    let expected = objects(&mut made.stranger().await).await;
    assert!(expected.iter().any(|(kind, name, _)| kind == "index" && name == "seaworthy_job_due"));
    assert_eq!(objects(&mut by_hand).await, expected);
    accept(&written.engine().await, &[job("a")]).await;
    assert_eq!(objects(&mut by_hand).await, expected, "nothing was added");
}

/// CO-18: a file whose schema is of another major version is refused at the first request, which changes nothing; a
/// newer one of the same is used.
#[tokio::test]
async fn other_versions() {
    let directory = Directory::new();
    accept(&directory.engine().await, &[job("a")]).await;
    let mut other = directory.stranger().await;
    other.execute("UPDATE seaworthy_schema SET version = version + 1").await.expect("updated");
    accept(&directory.engine().await, &[job("b")]).await;
    other.execute("UPDATE seaworthy_schema SET major = 2").await.expect("updated");
    let engine = Sqlite::new("numbers", &directory.builder().open().await.expect("a file"));
    let error = engine.enqueue(&[job("c")], None).await.expect_err("of another major version");
    assert_eq!(error.class(), ErrorClass::Refused);
    let rows: (i64,) = query_as("SELECT count(*) FROM seaworthy_job").fetch_one(&mut other).await.expect("read");
    assert_eq!(rows, (2,));
}

/// QU-50, CO-19: another name is another queue in the same tables, and another prefix has other tables: the same ids,
/// and nobody is given another's jobs.
#[tokio::test]
async fn queues_are_told_apart() {
    let directory = Directory::new();
    let here = directory.engine().await;
    let beside = Sqlite::new("others", &directory.builder().open().await.expect("a file"));
    let there = opened(directory.builder().prefix("tenant_7_")).await;
    for engine in [&here, &beside, &there] {
        accept(engine, &[job("a")]).await;
        assert_eq!(counts(engine).await, (1, 0, 0, 0));
    }
    for engine in [&here, &beside, &there] {
        assert_eq!(ids(engine, 9).await, ["a"]);
        assert_eq!(counts(engine).await, (0, 0, 1, 0));
    }
}

async fn plan(connection: &mut SqliteConnection, name: &str, text: &str) -> Vec<String> {
    let plan = format!("EXPLAIN QUERY PLAN {}", TableNames::default().fill(text));
    let plan: Vec<(i64, i64, i64, String)> = query_as(AssertSqlSafe(plan)).fetch_all(connection).await.expect(name);
    plan.into_iter().map(|step| step.3).collect()
}

/// QU-53, CO-08c: each statement runs alone, says in a comment what it does and under which lock, and finds its rows by
/// an index, without a sort; with 10,000 rows that are dead or due later, and with SQLite's statistics of them, too.
#[tokio::test]
async fn each_statement_finds_its_rows_by_an_index() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut other = directory.stranger().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    for is_large in [false, true] {
        if is_large {
            for part in 0..10 {
                let later = |job| NewJob { due: Due::After(VISIBILITY), ..job };
                let all: Vec<NewJob> = jobs(&format!("later-{part}"), 1_000).into_iter().map(later).collect();
                accept(&engine, &all).await;
            }
            let dead = "INSERT INTO seaworthy_dead_job
                (queue, id, died_at, reason, attempts, fence, accepted_at, kind, version, headers, payload)
                SELECT queue, 'dead-' || id, 1, 'x', 5, 5, 1, kind, version, headers, payload FROM seaworthy_job";
            other.execute(dead).await.expect("inserted");
            other.execute("ANALYZE").await.expect("analyzed");
        }
        let mut seen = 0;
        for file in std::fs::read_dir(&folder).expect("it is there") {
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
            let steps = plan(&mut other, &name, &text).await;
            let is_scan = |step: &&String| step.starts_with("SCAN") && !step.contains("CONSTANT ROW");
            let scans = steps.iter().filter(is_scan).filter(|step| !step.contains("(subquery"));
            assert_eq!(scans.count(), 0, "{name}: {steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{name}: {steps:?}");
            let uses = |index: &str| steps.iter().any(|step| step.contains(index));
            match &*name {
                "due" => assert!(uses("seaworthy_job_due (queue=? AND due<?)"), "{steps:?}"),
                "over" => assert!(uses("seaworthy_job_lease (queue=? AND lease_until<?)"), "{steps:?}"),
                "stepped" => assert!(uses("seaworthy_job_stepped (queue=? AND <expr>>?)"), "{steps:?}"),
                "next" => {
                    assert!(uses("seaworthy_job_due (queue=?)") && uses("seaworthy_job_lease (queue=?)"), "{steps:?}");
                    assert!(uses("seaworthy_job_stepped (queue=? AND <expr>>?)"), "{steps:?}");
                }
                "depth" | "sweep_look" => {
                    assert!(steps.iter().all(|step| !step.contains("INDEX") || step.contains("COVERING")), "{steps:?}");
                }
                _ => {}
            }
            seen += 1;
        }
        assert_eq!(seen, 29);
    }
    // None of them is in the way of the one that is due.
    accept(&engine, &[job("now")]).await;
    assert_eq!(ids(&engine, 64).await, ["now"]);
    assert_eq!(counts(&engine).await, (0, 10_000, 1, 10_000));
}
