//! What a job through seaworthy's queue costs, beside apalis on the same servers.
//!
//! `cargo run --release` measures everything; `-- redis`, `postgres`, `sqlite`, `idle` one of it; `-- --test` each a
//! moment, to see that it works.

mod idle;
mod load;
mod queues;
mod rounds;

use std::time::Duration;

use seaworthy_faults::postgres::Postgres;
use seaworthy_faults::redis::{Persistence, Redis};
use tokio::runtime::Builder;

use crate::queues::{Contender, apalis_postgres, apalis_redis, ours};
use crate::rounds::{Size, measure};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let asked = |what: &str| {
        let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
        named.is_empty() || named.iter().any(|name| *name == what)
    };
    let size = |jobs| match is_test {
        true => Size { rounds: 1, jobs: 300, paced: 20, pause: Duration::from_millis(5) },
        false => Size { rounds: 5, jobs, paced: 1_000, pause: Duration::from_millis(5) },
    };
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime is made");
    println!("| | jobs a second | wait, p50 | wait, p99 |\n|---|--:|--:|--:|");
    if asked("redis") {
        let server = Redis::start(Persistence::EverySec);
        let (ours, apalis) = (ours::Redis(server.url()), apalis_redis::Apalis(server.url()));
        runtime.block_on(show(&[&ours, &apalis], size(20_000)));
    }
    if asked("postgres") {
        let server = Postgres::start();
        let (ours, apalis) = (ours::Postgres(server.url()), apalis_postgres::Apalis(server.url()));
        runtime.block_on(show(&[&ours, &apalis], size(10_000)));
    }
    if asked("sqlite") {
        let place = std::env::temp_dir().join(format!("seaworthy-queues-{}", std::process::id()));
        std::fs::create_dir_all(&place).expect("a directory is made");
        let of = |is_full| ours::Sqlite { path: place.clone(), is_full };
        runtime.block_on(show(&[&of(true), &of(false)], size(2_000)));
        std::fs::remove_dir_all(&place).expect("the directory is removed");
    }
    if asked("idle") {
        let watched = if is_test { Duration::from_secs(1) } else { Duration::from_secs(20) };
        runtime.block_on(idle::show(watched));
    }
}

async fn show(contenders: &[&dyn Contender], size: Size) {
    let rows = measure(contenders, size).await;
    for row in &rows {
        println!("| {} | {:.0} | {:.2} ms | {:.2} ms |", row.name, row.per_second, row.p50, row.p99);
    }
    println!("| the first × the second, the median of the rounds | {:.2} | | |", rows[0].ratio);
}
