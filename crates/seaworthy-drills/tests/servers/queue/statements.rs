use std::collections::BTreeMap;

use seaworthy_queue::store::Take;
use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

use super::support::{Session, Space, ids, received, take};

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../../seaworthy-queue/src/postgres/", $name, ".sql")))),*]
    };
}

/// Each of the queue's statements by its name, as it stands in its file.
const FILES: [(&str, &str); 13] = files! {
    "cancel" "dead_discard" "dead_get" "dead_list" "dead_redrive" "dead_sweep" "depth" "enqueue" "extend" "settle_ack"
    "settle_dead" "settle_wait" "take"
};

/// In an order in which each has something to do.
const EXECUTED: [(&str, &str); 13] = [
    (
        "enqueue",
        "('q', '{a,b}', '{k,k}', '{1,1}', '{[],[]}', '{\"\\\\x01\",\"\\\\x02\"}', '{0,0}', '{NULL,NULL}', 9, 'x')",
    ),
    ("take", "('q', '\\x01', false, 2, 60000000, 5)"),
    ("extend", "('q', '{b,a}', '{\"\\\\x01\",\"\\\\x01\"}', '{1,1}', 60000000)"),
    ("settle_wait", "('q', 'a', '\\x01', 1, 0, 'no', false)"),
    ("settle_dead", "('q', 'b', '\\x01', 1, 'no')"),
    ("dead_list", "('q', NULL, 10)"),
    ("dead_get", "('q', 'b')"),
    ("dead_redrive", "('q', 'b', 'x')"),
    ("dead_discard", "('q', 'b')"),
    ("dead_sweep", "('q', 60000000, 1)"),
    ("settle_ack", "('q', '{a}', '{\"\\\\x01\"}', '{1}', '{60000000}')"),
    ("depth", "('q')"),
    ("cancel", "('q', 'a')"),
];

/// CO-08c: each statement begins with what it does and under which lock, is one statement, and runs alone.
#[tokio::test]
async fn each_statement_runs_alone() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../seaworthy-queue/src/postgres");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_string_lossy().strip_suffix(".sql").map(str::to_owned))
        .filter(|name| !name.starts_with("step_"))
        .collect();
    there.sort();
    assert_eq!(there, FILES.map(|(name, _)| name), "each file is run here");
    for (name, text) in FILES {
        assert!(text.starts_with("-- "), "{name} says what it does");
        assert!(text.to_lowercase().contains("lock"), "{name} says under which lock");
    }
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    prepare(&mut session, &space).await;
    for (name, parameters) in EXECUTED {
        session.run(&format!("EXECUTE {name}{parameters}")).await;
    }
    // The one was cancelled, the other given another chance.
    assert_eq!(session.copies().await, "1 0 0 0");
}

/// More than one could not be prepared.
async fn prepare(session: &mut Session, space: &Space) -> BTreeMap<&'static str, &'static str> {
    let names = TableNames::default().schema(space.name()).unwrap();
    for (name, text) in FILES {
        session.run(&format!("PREPARE {name} AS {}", Statement::new(&names, text).as_str())).await;
    }
    EXECUTED.into_iter().collect()
}

/// QU-53: 10,000 jobs that are later, 10,000 that run and 10,000 that are dead cost a taking nothing: it finds its jobs by
/// the indexes, sorts no table and reads some ten rows.
#[tokio::test]
async fn the_plan_is_pinned() {
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    for (state, due, lease) in [(0, "'1day'", "NULL"), (1, "'0'", "now() + interval '1 day'"), (0, "'-1s'", "NULL")] {
        let rows = if due == "'-1s'" { 1_000 } else { 10_000 };
        session
            .run(&format!(
                "INSERT INTO seaworthy_job SELECT 'q', 's{state}' || {due} || n, {state}, now() + interval {due}, n, 0, 0, 0, 0,
                    '\\x07', {lease}, now(), NULL, '', 'number', 1, '[]', '7' FROM generate_series(1, {rows}) AS n"
            ))
            .await;
    }
    session
        .run(
            "INSERT INTO seaworthy_dead_job (queue, id, died_at, attempts, fence, reason, accepted_at, kind, version, headers, payload)
            SELECT 'q', n, now(), 1, 1, '', now(), 'number', 1, '[]', '7' FROM generate_series(1, 10000) AS n",
        )
        .await;
    session.run("ANALYZE seaworthy_job, seaworthy_dead_job").await;
    let executed = prepare(&mut session, &space).await;
    for mode in ["force_generic_plan", "force_custom_plan"] {
        session.run(&format!("SET plan_cache_mode = {mode}")).await;
        for name in FILES.map(|(name, _)| name) {
            // Counting counts, and an enqueuing with a limit does, too.
            if name == "depth" || name == "dead_sweep" {
                continue;
            }
            let plan = session.text(&format!("EXPLAIN EXECUTE {name}{}", executed[name])).await;
            let is_found =
                !plan.contains("Seq Scan on seaworthy_job") && !plan.contains("Seq Scan on seaworthy_dead_job");
            assert!(is_found, "{name}, {mode}:\n{plan}");
            let sorts = plan.matches("Sort  (").count();
            // Of what was found, or was given.
            let few = match name {
                // One of them of the jobs of a repetition, if it is known that there is none.
                "take" if plan.contains("One-Time Filter: false") => 3,
                "take" => 2,
                "dead_redrive" | "enqueue" | "extend" => 3,
                "settle_ack" => 5,
                _ => 0,
            };
            assert!(sorts <= few, "{name}, {mode}, {sorts} sorts:\n{plan}");
        }
        session.run("BEGIN").await;
        let measured = format!("EXPLAIN (ANALYZE, BUFFERS) EXECUTE take{}", executed["take"]);
        let plan = session.text(&measured).await;
        session.run("ROLLBACK").await;
        for index in ["seaworthy_job_due", "seaworthy_job_lease", "seaworthy_job_pkey"] {
            assert!(plan.contains(index), "{mode}:\n{plan}");
        }
        assert!(!plan.contains("Rows Removed by Filter: 1000"), "{mode}:\n{plan}");
        let hit = plan.split_once("shared hit=").unwrap().1;
        let pages: u32 = hit.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!(pages < 150, "{pages} pages, {mode}:\n{plan}");
    }
    let jobs = space.jobs().await;
    assert_eq!(ids(&received(&jobs, &Take { room: 2, ..take() }).await), ["s0-1s1", "s0-1s2"]);
}
