//! Jobs of which one of a key runs at a time, while their ledger gives no answers, or other answers than it should.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};
use seaworthy_ledger::{
    ClaimRequest, Claimed, Entry, ErrorClass, Held, IdempotencyLayer, Key, Ledger, Memory, StoreError,
};
use seaworthy_queue::ledger::{for_jobs, one_at_a_time};
use seaworthy_queue::{Consumer, Delivery};
use tower::Layer;

use super::{Calls, Number, Running, SECOND, enqueue, noted, pass, queue};

/// Gives no answer while it is told so.
#[derive(Clone, Default)]
struct Silent {
    inner: Memory,
    is_silent: Arc<AtomicBool>,
}

impl Silent {
    fn answers(&self, asked: &'static str) -> Result<(), StoreError> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(StoreError::new(ErrorClass::Unavailable, asked, "told to be silent"));
        }
        Ok(())
    }
}

impl LedgerStore for Silent {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        self.answers("claim")?;
        self.inner.claim(attempt).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        self.answers("renew")?;
        self.inner.renew(leases).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.answers("settle")?;
        self.inner.settle(holder, settlement).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.inner.lookup(key).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        self.inner.sweep(most).await
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        self.inner.stale().await
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.step(key, name).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        self.inner.keep_step(holder, name, result).await
    }
}

fn key() -> Key {
    Key::new("account", "7").unwrap()
}

fn key_of(_: &Delivery<Number>) -> Key {
    key()
}

/// QU-80: while the ledger gives no answer nothing is called and no attempt is spent; when it does again, all are done.
#[tokio::test(start_paused = true)]
async fn put_off_while_it_is_down() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..3).await;
    let (store, calls) = (Silent::default(), Calls::new());
    store.is_silent.store(true, Ordering::Relaxed);
    let ledger = Ledger::with_store("accounts", store.clone()).build().unwrap();
    let service = one_at_a_time(ledger, key_of).layer(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(60).await;
    assert_eq!(calls.len(), 0);
    let looks = spy.settles.load(Ordering::Relaxed);
    assert!((100..=190).contains(&looks), "{looks}: three jobs, a look each second");
    store.is_silent.store(false, Ordering::Relaxed);
    pass(60).await;
    let attempts: Vec<u32> = calls.all().iter().map(|(_, attempt, _)| *attempt).collect();
    assert_eq!(attempts, [1, 1, 1]);
    running.end().await;
}

/// QU-80: a call whose claim cannot be renewed is dropped before its lease is over, although its delivery is kept; its
/// attempt is spent.
#[tokio::test(start_paused = true)]
async fn stopped_while_it_is_down() {
    let (jobs, _spy) = queue();
    enqueue(&jobs, 0..1).await;
    let (store, calls) = (Silent::default(), Calls::new());
    let dropped = Arc::new(AtomicBool::new(false));
    let noted_drop = Arc::clone(&dropped);
    let work = noted(&calls, move |_, meta| {
        let on_drop = SetOnDrop(Arc::clone(&noted_drop));
        async move {
            if meta.attempt() == 1 {
                pending::<()>().await;
            }
            drop(on_drop);
            Ok(())
        }
    });
    let ledger = Ledger::with_store("accounts", store.clone()).build().unwrap();
    let running = Running::start(Consumer::new(jobs.clone()).service(one_at_a_time(ledger, key_of).layer(work)));
    pass(11).await;
    store.is_silent.store(true, Ordering::Relaxed);
    pass(26).await;
    assert!(!dropped.load(Ordering::Relaxed), "renewed at 10 s, it may go on for 28 s");
    pass(2).await;
    assert!(dropped.load(Ordering::Relaxed), "before others can have the key, at 40 s");
    store.is_silent.store(false, Ordering::Relaxed);
    pass(20).await;
    assert_eq!(calls.all().iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2]);
    running.end().await;
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// QU-80: a key that something else in the ledger has under a fingerprint is taken like any other; one that is recorded
/// as done is told in the dead letter, because it will never be free.
#[tokio::test(start_paused = true)]
async fn keys_of_something_else() {
    let (jobs, _spy) = queue();
    enqueue(&jobs, 0..1).await;
    let (ledger, calls) = (Ledger::memory("accounts").build().unwrap(), Calls::new());
    let request = ClaimRequest::new(key()).fingerprint("another").lease(1_000 * SECOND);
    let Claimed::Mine(claim) = ledger.claim(request).await.unwrap() else { panic!("it is new") };
    let layer = one_at_a_time(ledger, |_: &Delivery<Number>| ClaimRequest::new(key()).fingerprint("one"));
    let service = layer.layer(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(30).await;
    assert_eq!((calls.len(), jobs.depth().await.unwrap().dead), (0, 0));
    assert!(claim.complete("for good").await.unwrap().is_yes());
    pass(10).await;
    assert_eq!((calls.len(), jobs.depth().await.unwrap().dead), (0, 0), "another fingerprint: it is put off");
    running.end().await;

    let (jobs, _spy) = queue();
    enqueue(&jobs, 0..1).await;
    let ledger = Ledger::memory("accounts").build().unwrap();
    let Claimed::Mine(claim) = ledger.claim(key()).await.unwrap() else { panic!("it is new") };
    assert!(claim.complete("for good").await.unwrap().is_yes());
    let service = one_at_a_time(ledger, key_of).layer(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(60).await;
    let dead = jobs.dead().list(None).await.unwrap().jobs;
    assert_eq!(dead.len(), 1);
    assert_eq!((&*dead[0].reason, dead[0].attempts), ("its key is recorded as work that was done", 5));
    assert_eq!(calls.len(), 0);
    running.end().await;
}

/// QU-21, QU-91: a ledger whose settings do not fit to the visibility is told in the dead letters' reasons, after all
/// their attempts, so that there is time to mend it.
#[tokio::test(start_paused = true)]
async fn settings_that_do_not_fit() {
    let (jobs, _spy) = queue();
    enqueue(&jobs, 0..1).await;
    let calls = Calls::new();
    let slow = Ledger::memory("numbers").request_timeout(15 * SECOND).build().unwrap();
    let layer: IdempotencyLayer<_, _> = for_jobs::<Number, _>(slow);
    let service = layer.layer(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(60).await;
    let dead = jobs.dead().list(None).await.unwrap().jobs;
    assert_eq!((dead.len(), calls.len()), (1, 0));
    assert!(dead[0].attempts == 5 && dead[0].reason.contains("request_timeout"), "{dead:?}");
    running.end().await;
}
