use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{Backoff, BoxError, Shutdown};
use seaworthy_queue::sqlite::{Sqlite, SqliteStore};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, JobError, Queue};
use seaworthy_store::random;
use seaworthy_store::time::{now, sleep};
use tower::service_fn;

use super::Directory;
use crate::consumer::Number;

const JOBS: u64 = 300;
const MOST: u32 = 5;

/// What became of each job, as its service saw it.
#[derive(Default)]
struct Seen {
    starts: BTreeMap<u64, u32>,
    done: BTreeMap<u64, u32>,
}

async fn queue(directory: &Directory) -> Queue<Number, Sqlite> {
    let store = SqliteStore::open(directory.file()).await.expect("a file of our own");
    Queue::sqlite("numbers", &store).request_timeout(Duration::from_secs(1)).build().expect("fine")
}

/// IN-01, IN-04, QU-22: of 300 jobs on a file, done by two consumers with handles of their own, of which some fail by
/// chance, panic, are put off or are poison, each is done once or dead, none both, none is left, and none is started
/// more often than it may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_is_done_or_dead() {
    let directory = Directory::new();
    let jobs = queue(&directory).await;
    let requests = |range: std::ops::Range<u64>| {
        range.map(|number| EnqueueRequest::new(Number(number)).id(super::id(&format!("n{number}"))))
    };
    for part in 0..3 {
        let all = jobs.enqueue_many(requests(part * 100..(part + 1) * 100)).await.expect("up");
        assert!(all.iter().all(|enqueued| enqueued.is_new()));
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let service = service_fn({
        let seen = Arc::clone(&seen);
        move |delivery: Delivery<Number>| {
            let seen = Arc::clone(&seen);
            async move {
                let number = delivery.job().0;
                let starts = {
                    let mut seen = seen.lock().expect("nobody panics with it");
                    let starts = seen.starts.entry(number).or_default();
                    *starts += 1;
                    *starts
                };
                tokio::task::yield_now().await;
                match number % 10 {
                    0 => return Err("poison".into()),
                    1 => return Err(JobError::dead("never").into()),
                    2 if starts == 1 => panic!("once"),
                    3 if starts == 1 => return Err(JobError::defer(Duration::from_millis(100)).into()),
                    _ if starts < MOST && random::fraction() < 0.2 => return Err("no luck".into()),
                    _ => {}
                }
                *seen.lock().expect("nobody panics with it").done.entry(number).or_default() += 1;
                Ok::<_, BoxError>(())
            }
        }
    });
    let (stop, stopped) = Shutdown::new();
    let mut running = Vec::new();
    for _ in 0..2 {
        let consumer = Consumer::new(queue(&directory).await)
            .visibility(Duration::from_secs(5))
            .max_deliveries(MOST)
            .retry_backoff(Backoff::constant(Duration::from_millis(20)))
            .block(Duration::from_millis(300))
            .service(service.clone());
        running.push(tokio::spawn(consumer.run(stopped.clone())));
    }
    let began = now();
    loop {
        let depth = jobs.depth().await.expect("up");
        if depth.ready + depth.later + depth.running == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{depth:?}");
        sleep(Duration::from_millis(50)).await;
    }
    stop.fire();
    for running in running {
        running.await.expect("no panic").expect("up");
    }
    let seen = std::mem::take(&mut *seen.lock().expect("nobody panicked with it"));
    let mut dead = BTreeMap::new();
    let mut after = None;
    loop {
        let page = jobs.dead().list(after.as_ref()).await.expect("up");
        for job in page.jobs {
            let number: u64 = job.id.as_str()[1..].parse().expect("a number");
            assert!(dead.insert(number, (job.attempts, job.reason)).is_none());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let done: BTreeSet<u64> = seen.done.keys().copied().collect();
    let died: BTreeSet<u64> = dead.keys().copied().collect();
    assert!(done.is_disjoint(&died));
    assert_eq!(&done | &died, (0..JOBS).collect());
    assert!(seen.done.values().all(|times| *times == 1), "{:?}", seen.done);
    assert_eq!(died, (0..JOBS).filter(|number| number % 10 < 2).collect());
    for number in 0..JOBS {
        let starts = seen.starts[&number];
        match number % 10 {
            0 => assert_eq!((starts, &dead[&number]), (MOST, &(MOST, "poison".into()))),
            1 => assert_eq!((starts, &dead[&number]), (1, &(1, "never".into()))),
            _ => assert!((1..=MOST + 1).contains(&starts), "{number}: {starts}"),
        }
    }
}
