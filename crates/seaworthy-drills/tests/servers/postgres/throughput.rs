use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seaworthy_ledger::store::{Attempt, LedgerStore};
use seaworthy_ledger::{Key, postgres::Postgres};
use tokio::task::JoinSet;

use super::statements::filled;
use super::support::{LEASE, Space, done, fence, holder, owner};

const CLIENTS: usize = 16;
const SECONDS: u64 = 4;
const ROUNDS: usize = 7;

/// Claims and completes fresh keys with 16 connections. How many a second.
async fn ours(space: &Space, round: usize) -> f64 {
    let store = space.builder().connections(CLIENTS as u32).connect().await.unwrap();
    let ledger = Postgres::new(&store);
    ledger.check().await.unwrap();
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let ledger = ledger.clone();
        clients.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < Duration::from_secs(SECONDS) {
                let key = Key::new("ours", &format!("{round}-{client}-{count}")).unwrap();
                let attempt = Attempt { key, owner: owner(), lease: LEASE, fingerprint: None, rank: None };
                let fence = fence(&ledger.claim(&attempt).await.unwrap());
                assert!(ledger.settle(&holder(&attempt, fence), &done("made")).await.unwrap().is_yes());
                count += 1;
            }
            count
        });
    }
    let all: u32 = clients.join_all().await.iter().sum();
    let rate = f64::from(all) / began.elapsed().as_secs_f64();
    store.close().await;
    rate
}

/// The same two statements, prepared, by pgbench.
fn pgbench(space: &Space, round: usize) -> f64 {
    let texts = filled(space);
    let with = |name: &str, parameters: &[&str]| {
        let mut text = texts[name].clone();
        for (at, parameter) in parameters.iter().enumerate().rev() {
            text = text.replace(&format!("${}", at + 1), parameter);
        }
        text
    };
    let key = format!("('{round}-' || :client_id || '-' || :n)::text");
    let owner = "decode(lpad(to_hex((:n)::bigint), 32, '0'), 'hex')";
    let claim = with("claim", &["'bench'::text", &key, owner, "60000000", "NULL::bytea", "NULL::bigint"]);
    let settle = with(
        "settle",
        &["'bench'::text", &key, "1", owner, "1::smallint", "'made'::bytea", "'text/plain'", "NULL", "NULL", "0"],
    );
    let mut script = String::from("\\set n random(1, 1000000000000)\n");
    writeln!(script, "{claim};\n{settle};").unwrap();
    let file = std::env::temp_dir().join(format!("{}.pgbench", space.name()));
    std::fs::write(&file, script).unwrap();
    let output = Command::new(pgbench_program())
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .args([format!("--client={CLIENTS}"), format!("--time={SECONDS}"), format!("--file={}", file.display())])
        .arg(space.url())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    std::fs::remove_file(file).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{text}"));
    rate.split(' ').next().unwrap().parse().unwrap()
}

/// Beside `psql`, or the newest of Debian's.
fn pgbench_program() -> String {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin/pgbench"))
        .filter(|program| program.exists())
        .collect();
    found.sort();
    found.pop().map_or_else(|| "pgbench".to_owned(), |program| program.display().to_string())
}

/// LG-61: with 16 connections claims and completions of fresh keys come to 0.9 of what pgbench reaches with the same
/// two statements, in the median of seven rounds that alternate.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and a machine that does nothing else"]
async fn the_library_adds_little_to_its_statements() {
    let space = Space::new().await;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let library = ours(&space, round).await;
        let program = tokio::task::block_in_place(|| pgbench(&space, round));
        println!("claim + complete a second, {CLIENTS} clients: library {library:.0}, pgbench {program:.0}");
        ratios.push(library / program);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratios {ratios:.2?}");
    assert!(ratios[ROUNDS / 2] >= 0.9, "{ratios:.2?}");
}
