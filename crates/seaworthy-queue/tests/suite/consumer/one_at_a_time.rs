use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_ledger::{ClaimRequest, Claimed, Key, Ledger, Memory};
use seaworthy_queue::ledger::one_at_a_time;
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, JobError, JobId, Queue};
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceBuilder};

use super::{Calls, Number, Running, SECOND, enqueue, noted, pass, queue};

const KEYS: u64 = 3;

/// One that may run beside any other.
fn is_free(number: u64) -> bool {
    number >= 1_000
}

fn key_of(job: &Delivery<Number>) -> Option<Key> {
    let number = job.job().0;
    (!is_free(number)).then(|| key(number % KEYS))
}

fn key(number: u64) -> Key {
    Key::new("account", &number.to_string()).unwrap()
}

/// As another process has it.
fn ledger(store: &Memory) -> Ledger {
    Ledger::with_store("accounts", store.clone()).build().unwrap()
}

#[derive(Clone, Default)]
struct AtWork(Arc<Mutex<Vec<u64>>>);

impl AtWork {
    /// Until it is dropped. How many of its key, and in all, are at work then.
    fn enter(&self, number: u64) -> (InWork, usize, usize) {
        let mut all = self.0.lock().unwrap();
        all.push(number);
        let same = all.iter().filter(|other| !is_free(**other) && **other % KEYS == number % KEYS).count();
        (InWork(self.clone(), number), same, all.len())
    }
}

struct InWork(AtWork, u64);

impl Drop for InWork {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap();
        let at = all.iter().position(|number| *number == self.1).unwrap();
        all.swap_remove(at);
    }
}

/// QU-80: of many jobs of a few keys and two consumers with a ledger each, never are two of one key at work, and all
/// are done at their first attempt, without a loop that spins; those of other keys, and of none, run beside them.
#[tokio::test(start_paused = true)]
async fn one_of_a_key_at_a_time() {
    let (jobs, spy) = queue();
    enqueue(&jobs, (0..60).chain(1_000..1_010)).await;
    let (store, at_work, calls) = (Memory::default(), AtWork::default(), Calls::new());
    let (most_of_a_key, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let running = [(); 2].map(|()| {
        let (at_work, most_of_a_key, most) = (at_work.clone(), Arc::clone(&most_of_a_key), Arc::clone(&most));
        let work = noted(&calls, move |number, _| {
            let (in_work, same, all) = at_work.enter(number);
            if !is_free(number) {
                most_of_a_key.fetch_max(u32::try_from(same).unwrap(), Ordering::Relaxed);
            }
            most.fetch_max(u32::try_from(all).unwrap(), Ordering::Relaxed);
            async move {
                tokio::time::sleep(Duration::from_millis(200)).await;
                drop(in_work);
                Ok(())
            }
        });
        let service = ServiceBuilder::new().layer(one_at_a_time(ledger(&store), key_of)).service(work);
        Running::start(Consumer::new(jobs.clone()).concurrency(5).service(service))
    });
    let began = Instant::now();
    while jobs.depth().await.unwrap() != Default::default() {
        assert!(began.elapsed() < 120 * SECOND, "{:?}", jobs.depth().await);
        pass(1).await;
    }
    assert_eq!(most_of_a_key.load(Ordering::Relaxed), 1);
    assert!(most.load(Ordering::Relaxed) >= 4, "{most:?} at once: of each key one, and one of none");
    let mut begun: Vec<(u64, u32)> = calls.all().iter().map(|(number, attempt, _)| (*number, *attempt)).collect();
    begun.sort_unstable();
    assert_eq!(begun, (0..60).chain(1_000..1_010).map(|number| (number, 1)).collect::<Vec<_>>());
    // Twenty jobs of a key take 4 s at least; each of them looks once in half a second at most.
    let looks = spy.settles.load(Ordering::Relaxed);
    let most = 70 + 60 * (began.elapsed().as_secs() * 2 + 1);
    assert!(u64::from(looks) <= most, "{looks} settlements in {:?}", began.elapsed());
    for running in running {
        running.end().await;
    }
}

/// How the first call of a test ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Fails,
    IsPutOff,
    Panics,
    TimesOut,
    IsLost,
    IsCutOff,
    IsDropped,
}

async fn ends(end: End) {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    let (store, calls) = (Memory::default(), Calls::new());
    let work = noted(&calls, move |_, _| async move {
        pass(5).await;
        match end {
            End::Fails => Err("fails".into()),
            End::IsPutOff => Err(JobError::defer(60 * SECOND).into()),
            End::Panics => panic!("as the test wants it"),
            _ => pending::<Result<(), BoxError>>().await,
        }
    });
    let service = one_at_a_time(ledger(&store), key_of).layer(work);
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(jobs.clone())
        .job_timeout(if end == End::TimesOut { 6 * SECOND } else { 1_000 * SECOND })
        .drain(SECOND)
        .retry_backoff(seaworthy::Backoff::constant(60 * SECOND))
        .service(service);
    let task = tokio::spawn(consumer.run(stopped));
    pass(2).await;
    let other = ledger(&store);
    assert_eq!(calls.len(), 1, "{end:?}");
    assert!(matches!(other.claim(&key(0)).await.unwrap(), Claimed::Busy { .. }), "{end:?}: it is at work");
    match end {
        End::IsLost => spy.fails.extends.store(true, Ordering::Relaxed),
        End::IsCutOff => stop.fire(),
        End::IsDropped => task.abort(),
        _ => {}
    }
    // The local end of a delivery that is not extended is at 28 s.
    pass(if end == End::IsLost { 28 } else { 5 }).await;
    let claimed = other.claim(&key(0)).await.unwrap();
    assert!(matches!(claimed, Claimed::Mine(_)), "{end:?}: it has ended, and its key is not free: {claimed:?}");
    assert_eq!(calls.len(), 1, "{end:?}");
}

/// QU-80: however a call ends, its key is free then, and not only when the lease is over: it fails, is put off, panics,
/// takes too long, is lost to others, is cut off by a shutdown, or goes with its consumer.
#[tokio::test(start_paused = true)]
async fn free_when_the_call_has_ended() {
    use End::{Fails, IsCutOff, IsDropped, IsLost, IsPutOff, Panics, TimesOut};
    for end in [Fails, IsPutOff, Panics, TimesOut, IsLost, IsCutOff, IsDropped] {
        ends(end).await;
    }
}

/// QU-80, IN-10: the key of a process that died is free when its lease is over; ten jobs wait for that, spend no
/// attempt, and look less and less often.
#[tokio::test(start_paused = true)]
async fn free_after_the_lease() {
    let (jobs, spy) = queue();
    let store = Memory::default();
    let lease = 30 * SECOND;
    let Claimed::Mine(mut claim) = ledger(&store).claim(ClaimRequest::new(key(0)).lease(lease)).await.unwrap() else {
        panic!("it is new")
    };
    claim.begin();
    drop(claim);
    enqueue(&jobs, (0..10).map(|number| number * KEYS)).await;
    let calls = Calls::new();
    let service = one_at_a_time(ledger(&store), key_of).layer(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(29).await;
    assert_eq!(calls.len(), 0);
    let looks = spy.settles.load(Ordering::Relaxed);
    assert!((10..=10 * (2 * 29 + 1)).contains(&looks), "{looks} looks at a key that is taken");
    pass(11).await;
    assert_eq!(calls.len(), 10, "{:?}", calls.all());
    assert!(calls.all().iter().all(|(_, attempt, _)| *attempt == 1));
    running.end().await;
}

/// QU-80: a call whose claim is lost is dropped before the next renewal is over, and its job is tried again.
#[tokio::test(start_paused = true)]
async fn stopped_when_the_claim_is_lost() {
    let (jobs, _spy) = queue();
    enqueue(&jobs, 0..1).await;
    let (store, at_work, calls) = (Memory::default(), AtWork::default(), Calls::new());
    let seen = at_work.clone();
    let work = noted(&calls, move |number, meta| {
        let (in_work, ..) = at_work.enter(number);
        async move {
            if meta.attempt() == 1 {
                pending::<()>().await;
            }
            drop(in_work);
            Ok(())
        }
    });
    let running =
        Running::start(Consumer::new(jobs.clone()).service(one_at_a_time(ledger(&store), key_of).layer(work)));
    // For longer than a lease.
    pass(61).await;
    assert_eq!((calls.len(), seen.0.lock().unwrap().len()), (1, 1));
    assert!(matches!(ledger(&store).claim(&key(0)).await.unwrap(), Claimed::Busy { .. }));
    // Who has a rank takes what has none.
    let Claimed::Mine(taken) = ledger(&store).claim(ClaimRequest::new(key(0)).rank(1)).await.unwrap() else {
        panic!("it outranks")
    };
    pass(11).await;
    assert_eq!((calls.len(), seen.0.lock().unwrap().len()), (1, 0), "dropped, and not begun again beside the other");
    drop(taken);
    pass(10).await;
    assert_eq!(calls.all().iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(jobs.depth().await.unwrap(), Default::default());
    running.end().await;
}

/// QU-80: a key that cannot be one is a dead letter; a ledger whose request timeout does not fit into the visibility is
/// told in the dead letter's reason, and nothing was called.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_claimed() {
    let (jobs, calls) = (Queue::<Number>::memory("numbers").build().unwrap(), Calls::new());
    for number in [0, 1] {
        let request = EnqueueRequest::new(Number(number)).id(JobId::new(&format!("job-{number}")).unwrap());
        jobs.enqueue(request).await.unwrap();
    }
    let slow = Ledger::memory("accounts").request_timeout(15 * SECOND).build().unwrap();
    let layer =
        one_at_a_time(slow, |job: &Delivery<Number>| Key::new("account", if job.job().0 == 0 { "" } else { "fine" }));
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(jobs.clone()).service(layer.layer(noted(&calls, |_, _| async { Ok(()) })));
    let task = tokio::spawn(consumer.run(stopped));
    pass(60).await;
    let dead = jobs.dead().list(None).await.unwrap().jobs;
    let told: Vec<_> = dead.iter().map(|job| (job.id.as_str(), job.attempts, &*job.reason)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[0].0, told[0].1), ("job-0", 1));
    assert!(told[0].2.contains("must be 1 to 255 bytes"), "{told:?}");
    assert_eq!((told[1].0, told[1].1), ("job-1", 5));
    assert!(told[1].2.contains("request_timeout"), "{told:?}");
    assert_eq!(calls.len(), 0);
    stop.fire();
    timeout(30 * SECOND, task).await.unwrap().unwrap().unwrap();
}
