use std::process::Command;

use seaworthy_leader::postgres::PostgresElector;
use seaworthy_store::postgres::PgStore;
use sqlx::{Connection, PgConnection};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::support::{Session, Space, quick, until};

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

/// All at once.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| Box::pin(async { Some(future.await) })).collect();
    let mut outputs: Vec<_> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *output = ready;
            }
        }
        if outputs.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
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
    let store = PgStore::builder(&url).connections(8).connect().await.unwrap();
    let elector = quick(PostgresElector::on(&store)).build().unwrap();
    elector.campaign("a").await.unwrap().resign().await;
    elector.close().await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let count = async |session: &mut Session| session.number(&format!("SELECT count(*) {others}")).await;
    let (tasks_before, before) = (tasks(), descriptors());
    for _ in 0..TERMS / 20 {
        let terms = (0..20).map(|name| elector.campaign(format!("name {name}")));
        let terms = join_all(terms).await;
        join_all(terms.into_iter().map(|term| term.unwrap().resign())).await;
    }
    let mut ended = 0;
    while ended < i64::try_from(TERMS).unwrap() {
        // The first of eight says what has become of its connection, and the next have others.
        join_all((0..8).map(|_| elector.leader("a"))).await;
        ended += session.number(&format!("SELECT count(pg_terminate_backend(pid)) {others}")).await;
    }
    while elector.leader("a").await.is_err() {
        ended += 1;
        assert!(ended <= i64::try_from(TERMS).unwrap() + 12, "a connection that was ended is not used again");
    }
    elector.campaign("a").await.unwrap().resign().await;
    elector.close().await;
    until("no connection is left over", async || count(&mut session).await <= 8).await;
    assert!(descriptors() <= before + 2, "{} descriptors after {before}", descriptors());
    assert_eq!(tasks(), tasks_before);
    store.close().await;
    until("none is left", async || count(&mut session).await == 0).await;
}
