use seaworthy_queue::ErrorClass;
use seaworthy_queue::store::{DeadLetters, Entry, Producer, Take};
use sqlx::{AssertSqlSafe, Executor};

use super::{ACK, Directory, accept, counts, id, ids, job, received, settled, take};

/// QU-17, CO-14: a row that cannot be understood is never handed out and never dropped: it is dead and says why, and
/// those beside it go on. It is not redriven as it is, and is removed by who wants that.
#[tokio::test]
async fn rows_that_cannot_be_understood_are_dead() {
    for (wrong, column) in [
        ("headers = 'no JSON'", "headers"),
        ("headers = '[[\"a\"]]'", "headers"),
        ("headers = x'ff'", "headers"),
        ("version = 65536", "version"),
        ("version = 'one'", "version"),
        ("kind = x'ff'", "kind"),
        ("payload = 1.5", "payload"),
        ("accepted_at = 'once'", "accepted_at"),
        ("deferred_since = 'once'", "deferred_since"),
        ("spent = -7", "spent"),
        ("abandoned = 1 << 40", "abandoned"),
    ] {
        let directory = Directory::new();
        let engine = directory.engine().await;
        accept(&engine, &[job("wrong"), job("right")]).await;
        let mut other = directory.stranger().await;
        other.execute("PRAGMA ignore_check_constraints = ON").await.expect("set");
        let update = format!("UPDATE seaworthy_job SET {wrong} WHERE id = 'wrong'");
        other.execute(AssertSqlSafe(update)).await.expect("updated");

        let received = received(&engine, &take(9)).await;
        let handed: Vec<_> = received.jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!((handed, &*received.died), (vec!["right"], &[id("wrong")][..]), "{wrong}");
        let dead = engine.list(None, 9).await.expect("it can be read");
        assert_eq!(dead.len(), 1, "{wrong}");
        assert_eq!(&*dead[0].reason, format!("its {column} in the file cannot be understood"), "{wrong}");
        assert_eq!(counts(&engine).await, (0, 0, 1, 1), "{wrong}");
        assert_eq!(engine.enqueue(&[job("wrong")], None).await.expect("up"), [Entry::Already]);
        if ["headers", "version", "kind", "payload", "accepted_at"].contains(&column) {
            let error = engine.redrive(&id("wrong")).await.expect_err("it would only die again");
            assert_eq!(error.class(), ErrorClass::Corrupt, "{wrong}");
        }
        assert_eq!(counts(&engine).await, (0, 0, 1, 1), "{wrong}");
        assert!(engine.discard(&id("wrong")).await.expect("up"));
    }
}

/// QU-17: a row whose id no job can have, or under whose id one is dead already, is dead under another.
#[tokio::test]
async fn ids_that_cannot_be_used() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    accept(&engine, &[job("a"), job("b"), job("c"), job("d")]).await;
    let mut other = directory.stranger().await;
    other.execute("UPDATE seaworthy_job SET id = 'no id' WHERE id = 'a'").await.expect("updated");
    other.execute("UPDATE seaworthy_job SET id = x'00' WHERE id = 'b'").await.expect("updated");
    let both = "INSERT INTO seaworthy_dead_job
        (queue, id, died_at, reason, attempts, fence, accepted_at, kind, version, headers, payload)
        SELECT queue, id, 1, 'by hand', 1, 1, 1, kind, version, headers, payload FROM seaworthy_job WHERE id = 'c'";
    other.execute(both).await.expect("inserted");
    let asked = take(9);
    let got = received(&engine, &asked).await;
    assert_eq!(got.jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["c", "d"]);
    assert_eq!(got.died.len(), 2);
    let reason = seaworthy_queue::store::Settlement::Dead { reason: "x".into() };
    assert!(settled(&engine, &super::holder(&asked, &got.jobs[0]), &reason).await.is_yes());
    assert!(settled(&engine, &super::holder(&asked, &got.jobs[1]), &ACK).await.is_yes());
    let dead = engine.list(None, 9).await.expect("it can be read");
    assert_eq!(dead.len(), 4, "{dead:?}");
    assert_eq!(dead.iter().filter(|job| &*job.reason == "its id in the file cannot be understood").count(), 2);
    assert!(got.died.iter().all(|died| dead.iter().any(|job| job.id == *died)));
    assert_eq!(dead.iter().filter(|job| job.id.as_str() == "c").count(), 1);
    assert_eq!(counts(&engine).await, (0, 0, 0, 4));
}

/// QU-50: a column by which rows are found cannot be of another type, which would hide its row.
#[tokio::test]
async fn what_rows_are_found_by_is_checked() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    accept(&engine, &[job("a")]).await;
    let mut other = directory.stranger().await;
    for wrong in ["state = 2", "state = 'x'", "lease_until = 'x'", "due = 'soon'", "spent = 'x'", "fence = 'x'"] {
        let update = format!("UPDATE seaworthy_job SET {wrong}");
        assert!(other.execute(AssertSqlSafe(update)).await.is_err(), "{wrong}");
    }
    assert_eq!(ids(&engine, 9).await, ["a"]);
}

/// QU-22: however many have been delivered too often, a taking ends, and those that it has not come to are dead by the
/// next.
#[tokio::test]
async fn many_deaths() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    for part in 0..2 {
        accept(&engine, &super::jobs(&format!("many-{part}"), 750)).await;
    }
    let mut other = directory.stranger().await;
    other.execute("UPDATE seaworthy_job SET spent = 3, reason = 'no luck'").await.expect("updated");
    accept(&engine, &[job("new")]).await;
    let few = || Take { max_deliveries: 3, ..take(5) };
    let first = received(&engine, &few()).await;
    assert!(first.jobs.is_empty() && first.died.len() >= 1_000, "{}", first.died.len());
    assert_eq!(first.next_due, Some(std::time::Duration::ZERO));
    let second = received(&engine, &few()).await;
    assert_eq!(second.jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["new"]);
    assert_eq!(first.died.len() + second.died.len(), 1_500);
    assert_eq!(counts(&engine).await, (0, 0, 1, 1_500));
    assert_eq!(&*engine.list(None, 1).await.expect("up")[0].reason, "no luck");
    assert_eq!(engine.sweep(None, Some(1)).await.expect("up"), 1_499);
    assert_eq!(counts(&engine).await, (0, 0, 1, 1));
}
