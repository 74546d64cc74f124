use std::time::Instant;

use seaworthy_queue::postgres::Postgres;
use seaworthy_queue::store::{DeadLetters, Due, Entry, NewJob, Producer, Settlement, Source, Take};
use tokio::task::JoinSet;

use super::support::{ACK, LONG, Space, holder, id, ids, job, millis, received, take};

/// QU-50: what is in a job's row while it waits, runs, waits again, is dead and is remembered; acking deletes it.
#[tokio::test]
async fn a_row_tells_all() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    let row = "SELECT concat_ws(' ', queue, id, state, deliveries, spent, abandoned, fence, encode(owner, 'hex'),
        lease_until > now() + interval '59 minutes', deferred_since IS NOT NULL, due > now(), reason, kind, version, headers,
        encode(payload, 'escape')) FROM seaworthy_job";
    jobs.enqueue(&[job("a")], None).await.unwrap();
    assert_eq!(session.text(row).await, "q a 0 0 0 0 0 f f  number 1 [] 7\n");
    let asked = Take { owner: 0xab, ..take() };
    let owner = "000000000000000000000000000000ab";
    let taken = async || holder(&asked, &received(&jobs, &asked).await.jobs.remove(0));
    let held = taken().await;
    assert_eq!(session.text(row).await, format!("q a 1 1 1 0 1 {owner} t f f  number 1 [] 7\n"));
    // A zero byte, which the server does not take.
    let retry = Settlement::Retry { after: millis(0), reason: "n\0o".into() };
    assert!(jobs.settle(&held, &retry).await.unwrap().is_yes());
    assert_eq!(session.text(row).await, "q a 0 1 1 0 1 f f n\u{fffd}o number 1 [] 7\n");
    let held = taken().await;
    assert!(jobs.settle(&held, &Settlement::Defer { after: LONG }).await.unwrap().is_yes());
    assert_eq!(session.text(row).await, "q a 0 2 1 0 2 t t n\u{fffd}o number 1 [] 7\n");
    session.run("UPDATE seaworthy_job SET due = now()").await;
    let held = taken().await;
    assert!(jobs.settle(&held, &Settlement::Dead { reason: "x".into() }).await.unwrap().is_yes());
    assert_eq!(session.copies().await, "0 0 1 0");
    assert!(jobs.redrive(&id("a")).await.unwrap());
    assert_eq!(session.text(row).await, "q a 0 0 0 0 3 f f  number 1 [[\"redriven\", \"1\"]] 7\n");
    let held = taken().await;
    assert!(jobs.settle(&held, &Settlement::Ack { remember: Some(millis(1)) }).await.unwrap().is_yes());
    assert_eq!(session.copies().await, "0 0 0 1");
    // What was remembered for long enough goes with the next that is.
    jobs.enqueue(&[job("b")], None).await.unwrap();
    let held = taken().await;
    assert!(jobs.settle(&held, &Settlement::Ack { remember: Some(LONG) }).await.unwrap().is_yes());
    assert_eq!(session.text("SELECT id FROM seaworthy_done_job").await, "b\n");
    // Without being remembered nothing is left.
    jobs.enqueue(&[job("c")], None).await.unwrap();
    let held = taken().await;
    assert!(jobs.settle(&held, &ACK).await.unwrap().is_yes());
    assert_eq!(session.copies().await, "0 0 0 1");
}

/// QU-50: queues of other names are others; jobs that were enqueued together come in their order, however their ids sort.
#[tokio::test]
async fn queues_are_apart() {
    let space = Space::of_jobs().await;
    let store = space.store().await;
    let (ours, theirs) = (Postgres::new("q", &store), Postgres::new("Q", &store));
    ours.enqueue(&[job("c"), job("a"), job("b")], None).await.unwrap();
    assert_eq!(theirs.enqueue(&[job("a")], Some(1)).await.unwrap(), [Entry::Accepted]);
    assert_eq!(ids(&received(&theirs, &Take { room: 9, ..take() }).await), ["a"]);
    assert_eq!(ids(&received(&ours, &Take { room: 9, ..take() }).await), ["c", "a", "b"]);
    // Spans and moments that no calendar has.
    for (name, due) in [("d", Due::After(std::time::Duration::MAX)), ("e", Due::At(std::time::Duration::MAX))] {
        ours.enqueue(&[NewJob { due, ..job(name) }], None).await.unwrap();
    }
    assert_eq!(ours.sweep(Some(std::time::Duration::MAX), None).await.unwrap(), 0);
    assert_eq!(ours.depth().await.unwrap().later, 2);
}

/// QU-54: eight sessions take 2,000 jobs, eight at a time, and settle each: a number to look at, and no less than what any
/// disk allows.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_a_second() {
    const JOBS: u64 = 2_000;
    let space = Space::of_jobs().await;
    let jobs = Postgres::new("q", &space.builder().connections(8).connect().await.unwrap());
    let all: Vec<NewJob> = (0..JOBS).map(|number| job(&format!("j{number}"))).collect();
    for some in all.chunks(1_000) {
        jobs.enqueue(some, None).await.unwrap();
    }
    let began = Instant::now();
    let mut sessions = JoinSet::new();
    for _ in 0..8 {
        let jobs = jobs.clone();
        sessions.spawn(async move {
            loop {
                let asked = Take { room: 8, ..take() };
                let taken = received(&jobs, &asked).await.jobs;
                if taken.is_empty() {
                    return;
                }
                for taken in taken {
                    assert!(jobs.settle(&holder(&asked, &taken), &ACK).await.unwrap().is_yes());
                }
            }
        });
    }
    sessions.join_all().await;
    let rate = JOBS as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} jobs a second, taken and settled by eight sessions");
    assert_eq!(space.session().await.copies().await, "0 0 0 0");
    assert!(rate > 50.0, "{rate:.0} jobs a second");
}
