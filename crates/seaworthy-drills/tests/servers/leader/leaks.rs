use std::process::Command;

use seaworthy_leader::postgres::PostgresElector;
use seaworthy_store::postgres::PgStore;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::support::{Session, Space, quick, until};
use sqlx::{Connection, PgConnection};

/// Names the child's schema.
const CHILD: &str = "SEAWORTHY_LEAKS_URL";
const TERMS: u64 = 1_000;

/// IN-18: a thousand terms, and a thousand connections that the server ends, in a process of their own: connections, tasks
/// and file descriptors are as at the start.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks() {
    let space = Space::of_leases().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let child = spawn_blocking(move || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "leader::leaks::a_process_with_many_terms", "--ignored"]).env(CHILD, url);
        child.output().unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// IN-18: what `nothing_leaks` starts.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_with_many_terms() {
    let url = std::env::var(CHILD).unwrap();
    let mut session = Session(PgConnection::connect(&url).await.unwrap());
    let others = "FROM pg_stat_activity WHERE application_name = current_setting('application_name')
        AND pid <> pg_backend_pid()";
    let store = PgStore::builder(&url).connections(2).connect().await.unwrap();
    let elector = quick(PostgresElector::on(&store)).build().unwrap();
    elector.campaign("a").await.unwrap().resign().await;
    elector.close().await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let count = async |session: &mut Session| session.number(&format!("SELECT count(*) {others}")).await;
    let (tasks_before, before) = (tasks(), descriptors());
    for _ in 0..TERMS {
        elector.campaign("a").await.unwrap().resign().await;
    }
    let mut ended = 0;
    while ended < i64::try_from(TERMS).unwrap() {
        ended += session.number(&format!("SELECT count(pg_terminate_backend(pid)) {others}")).await;
        // The first says what has become of its connection, the second has another.
        let mut answers = 0;
        while elector.leader("a").await.is_err() {
            answers += 1;
            assert!(answers <= 2, "a connection that was ended is not used again");
        }
    }
    elector.campaign("a").await.unwrap().resign().await;
    elector.close().await;
    until("no connection is left over", async || count(&mut session).await <= 2).await;
    assert!(descriptors() <= before + 2, "{} descriptors after {before}", descriptors());
    assert_eq!(tasks(), tasks_before);
    store.close().await;
    until("none is left", async || count(&mut session).await == 0).await;
}
