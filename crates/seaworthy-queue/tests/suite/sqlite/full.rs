use bytes::Bytes;
use seaworthy_queue::ErrorClass;
use seaworthy_queue::store::{DeadLetters, Entry, Held, NewJob, Producer, Settlement, Take};
use sqlx::query_scalar;

use super::{ACK, Directory, counts, holder, job, one, opened, received, settled, take};

fn large(name: &str) -> NewJob {
    NewJob { body: Bytes::from(vec![7; 8 * 1024]), ..job(name) }
}

/// IN-19, QU-04: in a file that may not grow any more an enqueuing is `Full`, all of it: no job of it is there. What is
/// there is delivered and settled all the same, and after that there is room again, without a restart.
#[tokio::test]
async fn a_full_file_refuses_and_recovers() {
    let directory = Directory::new();
    let engine = opened(directory.builder().max_size(512 * 1024)).await;
    let mut accepted = 0;
    loop {
        let pair = [large(&format!("a-{accepted}")), large(&format!("b-{accepted}"))];
        match engine.enqueue(&pair, None).await {
            Ok(entries) => assert_eq!(entries, [Entry::Accepted; 2]),
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Full, "{error}");
                break;
            }
        }
        accepted += 2;
        assert!(accepted < 1_000, "512 KiB hold no more");
    }
    assert!(accepted > 20, "{accepted}");
    assert_eq!(counts(&engine).await, (accepted, 0, 0, 0), "nothing is half written");
    let again = engine.enqueue(&[large("c"), large("d")], None).await.expect_err("still no room");
    assert_eq!(again.class(), ErrorClass::Full);

    // Every old one can be settled, also into the dead letters.
    let dead = Settlement::Dead { reason: "x".into() };
    for number in 0..accepted {
        let (holder, _) = one(&engine).await;
        assert_eq!(settled(&engine, &holder, if number == 5 { &dead } else { &ACK }).await, Held::Yes);
    }
    assert_eq!(counts(&engine).await, (0, 0, 0, 1));
    for number in 0..20 {
        let entries = engine.enqueue(&[large(&format!("after-{number}"))], None).await.expect("there is room");
        assert_eq!(entries, [Entry::Accepted]);
    }
    assert_eq!(engine.list(None, 9).await.expect("up").len(), 1);
    let mut other = directory.stranger().await;
    let sound: String = query_scalar("PRAGMA integrity_check").fetch_one(&mut other).await.expect("a verdict");
    assert_eq!(sound, "ok");
}

/// QU-04: a queue at its length is full, by every way in, and nothing was trimmed to make room.
#[tokio::test]
async fn a_queue_at_its_length() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    super::accept(&engine, &super::jobs("a", 3)).await;
    for _ in 0..3 {
        let error = engine.enqueue(&[job("b"), job("a-0")], Some(3)).await.expect_err("full");
        assert_eq!(error.class(), ErrorClass::Full);
        assert_eq!(engine.enqueue(&[job("a-1")], Some(3)).await.expect("it is there"), [Entry::Already]);
    }
    assert_eq!(counts(&engine).await, (3, 0, 0, 0));
    let (holder, _) = one(&engine).await;
    let error = engine.enqueue(&[job("b")], Some(3)).await.expect_err("one that runs counts, too");
    assert_eq!(error.class(), ErrorClass::Full);
    assert!(settled(&engine, &holder, &ACK).await.is_yes());
    assert_eq!(engine.enqueue(&[job("b")], Some(3)).await.expect("there is room"), [Entry::Accepted]);
    assert_eq!(engine.enqueue(&[job("c")], Some(u64::MAX)).await.expect("there is room"), [Entry::Accepted]);
}

/// IN-19, QU-22: a file that is full of small jobs, to the last byte, hands them out and has them settled; one that was
/// delivered too often stays where it is until there is room for it among the dead, and holds nobody up.
#[tokio::test]
async fn a_file_full_of_small_jobs() {
    let directory = Directory::new();
    let engine = opened(directory.builder().max_size(256 * 1024)).await;
    let mut accepted: u64 = 0;
    loop {
        let name = format!("j{accepted}");
        match engine.enqueue(&[NewJob { body: vec![7; 300].into(), ..job(&name) }], None).await {
            Ok(_) => accepted += 1,
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Full, "{error}");
                break;
            }
        }
    }
    assert!(accepted > 200, "{accepted}");
    // A tenth, here and there, have been delivered as often as they may be.
    let spent = "UPDATE seaworthy_job SET spent = 1 WHERE number % 10 = 0";
    sqlx::Executor::execute(&mut directory.stranger().await, spent).await.expect("updated");
    let (mut done, mut dead, mut is_late) = (0, 0, false);
    loop {
        let asked = Take { max_deliveries: 1, ..take(8) };
        let got = received(&engine, &asked).await;
        if got.jobs.is_empty() && got.died.is_empty() {
            break;
        }
        is_late |= done > 0 && !got.died.is_empty();
        dead += u64::try_from(got.died.len()).expect("few");
        for taken in got.jobs {
            done += 1;
            assert_eq!(settled(&engine, &holder(&asked, &taken), &ACK).await, Held::Yes);
        }
    }
    assert_eq!((done, dead), (accepted - accepted / 10, accepted / 10));
    assert!(is_late, "there was room for them from the first");
    assert_eq!(counts(&engine).await, (0, 0, 0, dead));
}
