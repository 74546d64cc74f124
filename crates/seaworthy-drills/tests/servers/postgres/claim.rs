use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use seaworthy_ledger::postgres::Postgres;
use seaworthy_ledger::store::{Answer, Attempt, LedgerStore, Settlement, StepKept};
use tokio::task::JoinSet;

use super::support::{LEASE, Space, attempt, claimed, done, fence, holder, key, owner};

const SESSIONS: usize = 64;
const KEYS: usize = 2_000;
const CLAIMS: usize = 400;

/// Each session claims a fifth of the keys, so that every key has about thirteen who want it.
async fn rush(ledger: &Postgres) -> BTreeMap<usize, Vec<u64>> {
    let mut sessions = JoinSet::new();
    for session in 0..SESSIONS {
        let ledger = ledger.clone();
        sessions.spawn(async move {
            let mut won = Vec::new();
            for at in 0..CLAIMS {
                let number = (session * 31 + at * 5) % KEYS;
                match ledger.claim(&attempt(&key(&number.to_string()))).await.unwrap() {
                    Answer::Granted { fence, .. } => won.push((number, fence)),
                    Answer::Busy { left } => assert!(left <= LEASE, "{left:?}"),
                    other => panic!("{other:?}"),
                }
            }
            won
        });
    }
    let mut fences = BTreeMap::<usize, Vec<u64>>::new();
    for (number, fence) in sessions.join_all().await.into_iter().flatten() {
        fences.entry(number).or_default().push(fence);
    }
    fences
}

/// LG-01, IN-07: of 64 sessions that make 25,600 claims on 2,000 keys exactly one gets each, fresh and then all stale at
/// once, and no fence is given twice.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_gets_each_key() {
    let space = Space::new().await;
    let ledger = Postgres::new(
        &space.builder().connections(64).request_timeout(Duration::from_secs(60)).connect().await.unwrap(),
    );
    let fresh = rush(&ledger).await;
    assert_eq!(fresh.len(), KEYS);
    assert!(fresh.values().all(|fences| fences == &[1]), "each has one winner, with fence 1");
    space.session().await.expire().await;
    let stale = rush(&ledger).await;
    assert_eq!(stale.len(), KEYS);
    assert!(stale.values().all(|fences| fences == &[2]), "each has one winner, with fence 2");
}

/// LG-05: fences of a key that changes hands all the time have no gap and no repeat.
#[tokio::test(flavor = "multi_thread")]
async fn fences_of_a_key_under_64_sessions_have_no_gap() {
    let space = Space::new().await;
    let ledger = Postgres::new(
        &space.builder().connections(64).request_timeout(Duration::from_secs(60)).connect().await.unwrap(),
    );
    let until = Instant::now() + Duration::from_millis(1_500);
    let mut sessions = JoinSet::new();
    for _ in 0..SESSIONS {
        let ledger = ledger.clone();
        sessions.spawn(async move {
            let mut won = Vec::new();
            while Instant::now() < until {
                let attempt = Attempt { lease: Duration::from_millis(20), ..attempt(&key("hot")) };
                if let Answer::Granted { fence, .. } = ledger.claim(&attempt).await.unwrap() {
                    won.push(fence);
                }
            }
            won
        });
    }
    let mut fences = sessions.join_all().await.concat();
    fences.sort_unstable();
    assert!(fences.len() > 5, "it changed hands {} times", fences.len());
    assert!(fences.iter().copied().eq(1..=fences.len() as u64), "{fences:?}");
}

/// LG-11: a row that another session inserts after the statement's snapshot is in neither half; the statement is sent
/// again and tells what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_came_after_the_snapshot_is_found_by_sending_again() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let mut other = space.session().await;
    // Inserted and not committed: a claimer's snapshot does not have it, and its insert waits for it.
    other.run("BEGIN").await;
    let row =
        "INSERT INTO seaworthy_ledger (scope, key, fence, state, owner, lease_until, first_at, started_at, grants)
        VALUES ('test', 'gap', 1, 0, '\\x00', clock_timestamp() + interval '40 seconds', now(), now(), 1)";
    other.run(row).await;
    let waiting = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.claim(&attempt(&key("gap"))).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(!waiting.is_finished(), "it waits for the row");
    other.run("COMMIT").await;
    let answer = waiting.await.unwrap();
    let Answer::Busy { left } = answer else { panic!("{answer:?}") };
    // From the row, and not the 50 ms that would be left had it not been found.
    assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(40), "{left:?}");
    // Rolled back, the key is the claimer's.
    other.run("BEGIN").await;
    other.run(&row.replace("gap", "none")).await;
    let waiting = tokio::spawn(async move { ledger.claim(&attempt(&key("none"))).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(150)).await;
    other.run("ROLLBACK").await;
    assert_eq!(fence(&waiting.await.unwrap()), 1);
}

/// LG-12: a claim whose answer was lost is granted again under the next number, with the next fence and no other beginning;
/// to another, and to an asking that is late, it is busy.
#[tokio::test]
async fn a_lost_answer_costs_one_more_statement() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let asked = attempt(&key("lost"));
    assert_eq!(ledger.claim(&asked).await.unwrap(), Answer::Granted { fence: 1, grants: 1 });
    let again = Attempt { owner: asked.owner.wrapping_add(1), ..asked.clone() };
    assert_eq!(ledger.claim(&again).await.unwrap(), Answer::Granted { fence: 2, grants: 1 });
    // The first one, carried out late.
    assert!(matches!(ledger.claim(&asked).await.unwrap(), Answer::Busy { .. }));
    let other = ledger.claim(&attempt(&key("lost"))).await.unwrap();
    assert!(matches!(other, Answer::Busy { left } if left > LEASE / 2), "{other:?}");
    // Done is done, whoever asks.
    assert!(ledger.settle(&holder(&again, 2), &done("x")).await.unwrap().is_yes());
    assert!(matches!(ledger.claim(&asked).await.unwrap(), Answer::Done(_)));
}

/// LG-13: a claimer that waited for a row decides by the time at which it has it, not by when it began to wait.
#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_a_row_decides_by_the_time_after() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    claimed(&ledger, "waited").await;
    let mut other = space.session().await;
    other.expire().await;
    // Somebody's transaction has the row, and gives it a lease that is over before it ends.
    other.run("BEGIN; SELECT FROM seaworthy_ledger WHERE key = 'waited' FOR UPDATE").await;
    let waiting = tokio::spawn(async move { ledger.claim(&attempt(&key("waited"))).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    other.run("UPDATE seaworthy_ledger SET lease_until = clock_timestamp() + interval '100 milliseconds'").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "it waits for the row");
    other.run("COMMIT").await;
    // By now() of its statement the lease would be live.
    assert_eq!(fence(&waiting.await.unwrap()), 2);
    // What it was granted is counted from then, too.
    let left =
        other.number("SELECT extract(epoch FROM lease_until - clock_timestamp()) * 1000 FROM seaworthy_ledger").await;
    assert!((59_000..=60_000).contains(&left), "{left}");
    let begun =
        other.number("SELECT extract(epoch FROM clock_timestamp() - started_at) * 1000 FROM seaworthy_ledger").await;
    assert!(begun < 200, "started when it was granted, {begun} ms ago");
}

/// LG-14: a claimer that meets a row locked by a transaction waits for 500 ms, and is then told that it is busy for 1 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_locked_is_waited_for_briefly() {
    let space = Space::new().await;
    let pool = sqlx::PgPool::connect(&space.url()).await.unwrap();
    let on_a_pool = Postgres::new(&seaworthy_store::postgres::PgStore::from_pool(pool).connect().await.unwrap());
    for (name, ledger) in [("own", space.ledger().await), ("pool", on_a_pool)] {
        ledger.check().await.unwrap();
        claimed(&ledger, name).await;
        let mut other = space.session().await;
        other.expire().await;
        other.run("BEGIN; SELECT FROM seaworthy_ledger FOR UPDATE").await;
        let began = Instant::now();
        let answer = ledger.claim(&attempt(&key(name))).await.unwrap();
        let waited = began.elapsed();
        assert_eq!(answer, Answer::Busy { left: Duration::from_secs(1) }, "{name}");
        assert!((450..900).contains(&waited.as_millis()), "{name}: {waited:?}");
        other.run("ROLLBACK").await;
        assert_eq!(fence(&ledger.claim(&attempt(&key(name))).await.unwrap()), 2, "{name}");
    }
}

/// LG-14: who cannot have the key anyhow is told so at once, although the row is locked.
#[tokio::test]
async fn a_live_lease_is_told_without_a_lock() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    claimed(&ledger, "live").await;
    let answer = ledger.claim(&attempt(&key("live"))).await.unwrap();
    assert!(matches!(answer, Answer::Busy { left } if left > LEASE / 2), "{answer:?}");
    // A lock would have left its mark on the row.
    let mut other = space.session().await;
    assert_eq!(other.number("SELECT xmax::text FROM seaworthy_ledger").await, 0);
    other.run("BEGIN; SELECT FROM seaworthy_ledger FOR UPDATE").await;
    let answer = ledger.claim(&attempt(&key("live"))).await.unwrap();
    assert!(matches!(answer, Answer::Busy { left } if left > LEASE / 2), "{answer:?}");
}

/// LG-04: another fingerprint is a mismatch in any state but failed; a failed key takes the new one and forgets the steps of
/// the other.
#[tokio::test]
async fn a_failed_key_takes_another_fingerprint_and_forgets_its_steps() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let with = |print: &'static str| Attempt {
        fingerprint: Some(Bytes::from_static(print.as_bytes())),
        owner: owner(),
        ..attempt(&key("print"))
    };
    let first = with("a");
    let held = holder(&first, fence(&ledger.claim(&first).await.unwrap()));
    let kept = ledger.keep_step(&held, "one", &Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(kept, StepKept::Stored(Bytes::from_static(b"1")));
    assert_eq!(ledger.claim(&with("b")).await.unwrap(), Answer::Mismatch);
    space.session().await.expire().await;
    assert_eq!(ledger.claim(&with("b")).await.unwrap(), Answer::Mismatch, "its lease being over makes no difference");
    let failed = Settlement::Failed { reason: "no".into(), keep: None };
    assert!(ledger.settle(&held, &failed).await.unwrap().is_yes());
    // The same fingerprint, and none, keep the steps.
    let again = with("a");
    let held = holder(&again, fence(&ledger.claim(&again).await.unwrap()));
    assert_eq!(ledger.step(&key("print"), "one").await.unwrap(), Some(Bytes::from_static(b"1")));
    assert!(ledger.settle(&held, &failed).await.unwrap().is_yes());
    let other = with("b");
    assert_eq!(fence(&ledger.claim(&other).await.unwrap()), 3);
    assert_eq!(ledger.step(&key("print"), "one").await.unwrap(), None);
    assert_eq!(ledger.claim(&with("a")).await.unwrap(), Answer::Mismatch);
}
