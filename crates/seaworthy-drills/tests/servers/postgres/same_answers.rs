use std::fmt::{Debug, Write};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::sqlite::{Sqlite, SqliteStore};
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Settlement};
use seaworthy_ledger::{EntryState, Key, Memory, StoreError};
use seaworthy_store::postgres::PgStore;

use super::support::Space;

const LEASE: Duration = Duration::from_secs(60);
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What a store answered, in lines that are the same whenever they are asked for.
#[derive(Default)]
struct Told(String);

impl Told {
    fn line(&mut self, asked: &str, answer: &Result<impl Debug, StoreError>) {
        let told = match answer {
            Ok(answer) => writeln!(self.0, "{asked}: {answer:?}"),
            Err(error) => writeln!(self.0, "{asked}: {:?}", error.class()),
        };
        told.unwrap();
    }

    async fn claim(&mut self, store: &impl LedgerStore, asked: &str, attempt: &Attempt) -> Holder {
        let answer = store.claim(attempt).await;
        let fence = if let Ok(Answer::Granted { fence, .. }) = &answer { *fence } else { 0 };
        // Whatever is left, it is less than the whole.
        let told = answer.map(|answer| match answer {
            Answer::Busy { left } => format!("busy, {}", left <= attempt.lease.max(TEN_YEARS)),
            Answer::Done(record) => format!("{record:?} {:?}", record.result()),
            other => format!("{other:?}"),
        });
        self.line(asked, &told);
        Holder { key: attempt.key.clone(), fence, owner: attempt.owner }
    }

    async fn entry(&mut self, store: &impl LedgerStore, key: &Key) {
        let told = store.lookup(key).await.map(|entry| {
            entry.map(|entry| {
                let state = if let EntryState::Running { left } = entry.state {
                    format!("running, {}", !left.is_zero())
                } else {
                    format!("{:?}", entry.state)
                };
                (state, entry.fence, entry.grants, entry.reason, entry.result_len, entry.finished_at.is_some())
            })
        });
        self.line("  is", &told);
    }
}

fn attempt(value: &str, owner: u128) -> Attempt {
    Attempt { key: Key::new("same", value).unwrap(), owner, lease: LEASE, fingerprint: None, rank: None }
}

fn done(result: &'static [u8], keep: Option<Duration>) -> Settlement {
    Settlement::Done { result: Bytes::from_static(result), content_type: "".into(), keep }
}

/// All ways to end a claim, twice, in each pair of ways.
async fn endings(store: &impl LedgerStore, told: &mut Told) {
    let all = || {
        let keep = Some(TEN_YEARS);
        let (no, empty) = (Box::<str>::from("no"), Box::<str>::from(""));
        [
            done(b"", keep),
            done(b"x", None),
            Settlement::DoneNotKept { keep: None },
            Settlement::FailedForGood { reason: empty.clone(), keep },
            Settlement::FailedForGood { reason: no.clone(), keep: None },
            Settlement::Failed { reason: empty, keep },
            Settlement::Failed { reason: no, keep: Some(Duration::MAX) },
            Settlement::Released { keep: Some(Duration::ZERO) },
        ]
    };
    for (n, first) in all().iter().enumerate() {
        for (m, second) in all().iter().enumerate() {
            let asked = attempt(&format!("ending {n} {m}"), 1);
            let holder = told.claim(store, "claim", &asked).await;
            told.line(&format!("{first:?}"), &store.settle(&holder, first).await);
            told.line(&format!("{second:?}"), &store.settle(&holder, second).await);
            told.line("  renewed", &store.renew(&[(holder.clone(), LEASE)]).await);
            told.line("  step", &store.keep_step(&holder, "late", &Bytes::from_static(b"x")).await);
            told.entry(store, &asked.key).await;
            let next = told.claim(store, "next", &Attempt { owner: 2, ..asked.clone() }).await;
            told.line("  stale", &store.settle(&holder, second).await);
            told.line("  next", &store.settle(&next, &done(b"next", None)).await);
            told.entry(store, &asked.key).await;
        }
    }
}

/// Ranks and fingerprints at their ends, by the same owner and by another.
async fn claims(store: &impl LedgerStore, told: &mut Told) {
    let ranks = [None, Some(i64::MIN), Some(0), Some(i64::MAX)];
    let prints = [None, Some(Bytes::new()), Some(Bytes::from_static(&[0; 64]))];
    for (n, rank) in ranks.iter().enumerate() {
        for (m, print) in prints.iter().enumerate() {
            for (rank_2, print_2) in ranks.iter().flat_map(|rank| prints.iter().map(move |print| (rank, print))) {
                for owner in [0, 1, 2, 1 << 32 | 2, u128::MAX] {
                    let name = format!("claims {n} {m} {rank_2:?} {print_2:?} {owner}");
                    let asked = Attempt { rank: *rank, fingerprint: print.clone(), ..attempt(&name, 1) };
                    told.claim(store, &name, &asked).await;
                    let again = Attempt { rank: *rank_2, fingerprint: print_2.clone(), owner, ..asked.clone() };
                    let holder = told.claim(store, "  again", &again).await;
                    told.claim(store, "  first once more", &asked).await;
                    told.line("  settled", &store.settle(&holder, &done(b"x", None)).await);
                }
            }
        }
    }
}

/// Fences, leases and owners that no store gave out.
async fn strangers(store: &impl LedgerStore, told: &mut Told) {
    let asked = Attempt { lease: Duration::MAX, ..attempt("strangers", 0) };
    let holder = told.claim(store, "for ever", &asked).await;
    told.entry(store, &asked.key).await;
    for (fence, owner) in [(0, 0), (1, 1), (2, 0), (i64::MAX as u64, 0), (u64::MAX, 0), (u64::MAX, u128::MAX)] {
        let stranger = Holder { fence, owner, ..holder.clone() };
        told.line("renew", &store.renew(&[(stranger.clone(), LEASE)]).await);
        told.line("settle", &store.settle(&stranger, &done(b"x", None)).await);
        told.line("step", &store.keep_step(&stranger, "step", &Bytes::from_static(b"x")).await);
    }
    let twice = [(holder.clone(), Duration::MAX), (holder.clone(), LEASE)];
    told.line("twice", &store.renew(&twice).await);
    told.line("none", &store.renew(&[]).await);
    for result in [&b""[..], b"other"] {
        told.line("step", &store.keep_step(&holder, "é", &Bytes::from_static(result)).await);
    }
    told.line("read", &store.step(&asked.key, "é").await);
    told.line("unread", &store.step(&asked.key, "e").await);
    told.line("sweep none", &store.sweep(0).await);
    told.line("stale", &store.stale().await);
    told.claim(store, "over at once", &Attempt { lease: Duration::ZERO, ..attempt("zero", 1) }).await;
    told.claim(store, "and taken", &attempt("zero", 2)).await;
}

async fn answers(store: &impl LedgerStore) -> String {
    let mut told = Told::default();
    endings(store, &mut told).await;
    claims(store, &mut told).await;
    strangers(store, &mut told).await;
    told.0
}

fn compare(which: &str, theirs: &str, memory: &str) {
    for (number, (theirs, memory)) in theirs.lines().zip(memory.lines()).enumerate() {
        assert_eq!(theirs, memory, "{which}, line {number}");
    }
    assert_eq!(theirs.lines().count(), memory.lines().count());
}

/// LG-21: a thousand questions at the ends of what can be asked (no bytes, the greatest rank, a fence that nobody gave out)
/// have the same answers in memory, in a file and in Postgres.
#[tokio::test(flavor = "multi_thread")]
async fn lg_21_the_same_answers() {
    let memory = answers(&Memory::default()).await;
    assert!(memory.lines().count() > 1_000);
    let path = std::env::temp_dir().join(format!("seaworthy-same-{}.db", std::process::id()));
    let file = SqliteStore::builder(&path).synchronous(seaworthy_ledger::sqlite::Synchronous::Normal);
    let file = file.open().await.unwrap();
    let in_file = answers(&Sqlite::new(&file)).await;
    file.close().await;
    for end in ["", "-wal", "-shm"] {
        let _gone = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    compare("SQLite", &in_file, &memory);
    let space = Space::empty().await;
    let server = PgStore::connect(&space.url()).await.unwrap();
    migrate(&server).await.unwrap();
    compare("Postgres", &answers(&Postgres::new(&server)).await, &memory);
}
