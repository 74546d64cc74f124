use std::sync::atomic::Ordering;
use std::time::Duration;

use seaworthy::BoxError;
use seaworthy_ledger::{Claimed, IdempotencyError, Key, Ledger};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, JobId, ledger};
use tower::{Layer, ServiceBuilder};

use super::{Calls, Number, Running, SECOND, enqueue, noted, pass, queue};

/// QU-21, IN-09: a job whose settlement was lost again and again is delivered again, and done once.
#[tokio::test(start_paused = true)]
async fn done_once() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    spy.fails.settles.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let layer = ledger::for_jobs::<Number, _>(Ledger::memory("numbers").build().unwrap());
    let service = ServiceBuilder::new().layer(layer).service(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).max_deliveries(1_000).service(service));
    pass(300).await;
    spy.fails.settles.store(false, Ordering::Relaxed);
    pass(60).await;
    assert_eq!(calls.len(), 1);
    let depth = jobs.depth().await.unwrap();
    assert_eq!((depth.running, depth.ready, depth.later, depth.dead), (0, 0, 0, 0));
    running.end().await;
}

/// QU-20, QU-21, IN-10: a key that somebody else has for 30 s spends no attempt and does not spin; what has another
/// fingerprint or a ledger that is down is no attempt either.
#[tokio::test(start_paused = true)]
async fn busy_is_put_off() {
    let (jobs, spy) = queue();
    let claims = Ledger::memory("numbers").build().unwrap();
    let key = Key::new("numbers", "the-job").unwrap();
    let Claimed::Mine(mut claim) = claims.claim(&key).await.unwrap() else { panic!("it is new") };
    claim.begin();
    let _told = claim.hold();
    jobs.enqueue(EnqueueRequest::new(Number(7)).id(JobId::new("the-job").unwrap())).await.unwrap();
    let calls = Calls::new();
    // Without the rank, which takes what an older delivery has.
    let plain = seaworthy_ledger::IdempotencyLayer::new(claims, |job: &Delivery<Number>| {
        Some(Key::new("numbers", job.id().as_str()))
    });
    let running =
        Running::start(Consumer::new(jobs.clone()).service(plain.layer(noted(&calls, |_, _| async { Ok(()) }))));
    pass(30).await;
    assert_eq!(calls.len(), 0);
    let settled = spy.settles.load(Ordering::Relaxed);
    assert!((1..=30).contains(&settled), "{settled} deferrals");
    assert!(claim.complete("done elsewhere").await.unwrap().is_yes());
    pass(120).await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((depth.dead, depth.ready + depth.later + depth.running), (1, 0), "what is kept is no answer of ours");
    assert_eq!(jobs.dead().list(None).await.unwrap().jobs[0].attempts, 1);
    running.end().await;
}

/// QU-21: what each error of the layer comes to.
#[tokio::test(start_paused = true)]
async fn errors_of_the_layer() {
    let error = |number| match number {
        0 => IdempotencyError::Busy { retry_in: 5 * SECOND },
        1 => IdempotencyError::NotKept,
        2 => IdempotencyError::Mismatch,
        3 => IdempotencyError::FailedBefore { reason: "long ago".into() },
        _ => IdempotencyError::Lost,
    };
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..5).await;
    let calls = Calls::new();
    let service = noted(&calls, move |number, meta| async move {
        if meta.deferred_for().is_some() { Ok(()) } else { Err::<(), BoxError>(error(number).into()) }
    });
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    tokio::time::sleep(Duration::from_millis(4_900)).await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((depth.later, depth.running, depth.dead), (1, 1, 2), "put off, left, dead");
    assert_eq!(spy.settles.load(Ordering::Relaxed), 4);
    pass(1).await;
    assert_eq!(calls.all().iter().filter(|(number, attempt, _)| (*number, *attempt) == (0, 1)).count(), 2);
    running.end().await;
}
