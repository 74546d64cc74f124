//! Many jobs in Postgres, and many connections that the server ends.

use seaworthy_queue::postgres::{PgStore, Postgres};
use tokio::sync::Mutex;

use super::support::Space;
use crate::scenarios::leaks;
use crate::space::Session;

/// IN-18: 2,000 jobs and 500 connections that the server ends, in a process of their own: connections, tasks, file
/// descriptors and memory are as at the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks() {
    let space = Space::of_jobs().await;
    let place = format!("{}&application_name={}", space.url(), space.name());
    leaks::in_a_process(place, "queue::leaks::a_process_with_many_jobs").await;
}

/// IN-18: what `nothing_leaks` starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is started by another test"]
async fn a_process_with_many_jobs() {
    let url = leaks::place();
    let session = Mutex::new(Session::of(&url).await);
    let others = "FROM pg_stat_activity WHERE application_name = current_setting('application_name')
        AND pid <> pg_backend_pid()";
    let ask = async |what: &str| {
        let number = session.lock().await.number(&format!("SELECT {what} {others}")).await;
        u64::try_from(number).unwrap()
    };
    let store = PgStore::builder(&url).connections(8).connect().await.unwrap();
    let (end, count) = ("count(pg_terminate_backend(pid))", "count(*)");
    leaks::none(Postgres::new("q", &store), (2_000, 500), async || ask(end).await, async || ask(count).await).await;
}
