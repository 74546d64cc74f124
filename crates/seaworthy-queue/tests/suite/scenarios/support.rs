//! Jobs, consumers of them, and a store that counts and can be held up.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown, ShutdownTrigger};
use seaworthy_queue::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Due, Entry, Held, Holder, NewJob, Producer, QueueStore, Received,
    Settlement, Source, Take, Taken,
};
use seaworthy_queue::{
    Consumer, ConsumerError, DefaultClassifier, Delivery, DeliveryMeta, Headers, Job, JobId, StoreError,
};
use seaworthy_store::random;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::Service;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const LONG: Duration = Duration::from_secs(600);
pub(crate) const ACK: Settlement = Settlement::Ack { remember: None };

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Number(pub(crate) u64);

impl Job for Number {
    const KIND: &str = "number";
}

pub(crate) fn id(text: &str) -> JobId {
    JobId::new(text).unwrap()
}

pub(crate) async fn accept<S: Producer>(store: &S, name: &str) {
    let job = NewJob {
        id: id(name),
        kind: Number::KIND.into(),
        version: 1,
        headers: Headers::default(),
        body: "7".into(),
        due: Due::Now,
    };
    assert_eq!(store.enqueue(&[job], None).await.unwrap(), [Entry::Accepted]);
}

/// For so many, under an owner of its own.
pub(crate) fn take(room: u32, visibility: Duration) -> Take {
    Take { owner: random::unique(), repeats: false, room, visibility, max_deliveries: 1_000 }
}

pub(crate) fn holder(take: &Take, taken: &Taken) -> Holder {
    Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence }
}

/// The first job that can be had, which has to be there in a while.
pub(crate) async fn one<S: Source>(store: &S, visibility: Duration) -> (Holder, Taken) {
    for _ in 0..1_000 {
        let asked = take(1, visibility);
        if let Some(taken) = store.receive(&asked, Duration::ZERO).await.unwrap().jobs.pop() {
            return (holder(&asked, &taken), taken);
        }
        tokio::time::sleep(millis(20)).await;
    }
    panic!("there is no job to be had")
}

/// Ready, later, running, dead.
pub(crate) async fn counts<S: Source>(store: &S) -> (u64, u64, u64, u64) {
    let depth = store.depth().await.unwrap();
    (depth.ready, depth.later, depth.running, depth.dead)
}

/// Until nothing is left that is not dead.
pub(crate) async fn emptied<S: Source>(store: &S) {
    let mut left = (0, 0, 0, 0);
    for _ in 0..2_000 {
        // It may be away for a moment.
        if let Ok(depth) = store.depth().await {
            left = (depth.ready, depth.later, depth.running, depth.dead);
            if (left.0, left.1, left.2) == (0, 0, 0) {
                return;
            }
        }
        tokio::time::sleep(millis(20)).await;
    }
    panic!("it is stuck: {left:?}")
}

/// What was begun: the number and the attempt.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<(u64, u32)>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<(u64, u32)> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The attempts of one.
    pub(crate) fn attempts(&self, number: u64) -> Vec<u32> {
        self.all().into_iter().filter(|(of, _)| *of == number).map(|(_, attempt)| attempt).collect()
    }

    pub(crate) fn note(&self, delivery: &Delivery<Number>) {
        self.0.lock().unwrap().push((delivery.job().0, delivery.attempt()));
    }

    /// A service that notes each call, and does `work`.
    pub(crate) fn noted<F, W>(
        &self,
        work: F,
    ) -> impl Service<Delivery<Number>, Response = (), Error = BoxError, Future: Send> + Clone + Send + use<F, W>
    where
        F: Fn(u64, DeliveryMeta) -> W + Clone + Send + 'static,
        W: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let calls = self.clone();
        tower::service_fn(move |delivery: Delivery<Number>| {
            calls.note(&delivery);
            let (job, meta) = delivery.into_parts();
            work(job.0, meta)
        })
    }
}

/// A consumer at work.
pub(crate) struct Running {
    stop: ShutdownTrigger,
    task: JoinHandle<Result<(), ConsumerError>>,
}

impl Running {
    pub(crate) fn start<M: Job, S: QueueStore, V>(consumer: Consumer<M, S, V, DefaultClassifier>) -> Running
    where
        V: Service<Delivery<M>, Response = (), Error = BoxError, Future: Send> + Clone + Send + 'static,
    {
        let (stop, stopped) = Shutdown::new();
        Running { stop, task: tokio::spawn(consumer.run(stopped)) }
    }

    pub(crate) async fn end(self) {
        self.stop.fire();
        self.task.await.unwrap().unwrap();
    }
}

/// Counts what it is asked for, and can be held up: what it is asked to settle or extend then arrives later.
#[derive(Clone)]
pub(crate) struct Counted<S> {
    pub(crate) inner: S,
    receives: Arc<AtomicU32>,
    is_held_up: watch::Sender<bool>,
}

impl<S> Counted<S> {
    pub(crate) fn new(inner: S) -> Counted<S> {
        Counted { inner, receives: Arc::default(), is_held_up: watch::Sender::new(false) }
    }

    pub(crate) fn receives(&self) -> u32 {
        self.receives.load(Ordering::Relaxed)
    }

    pub(crate) fn hold_up(&self, is_held_up: bool) {
        self.is_held_up.send_replace(is_held_up);
    }

    async fn passed(&self) {
        let mut changes = self.is_held_up.subscribe();
        // The sender is this store.
        let _passed = changes.wait_for(|is_held_up| !is_held_up).await;
    }
}

impl<S: Producer> Producer for Counted<S> {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        self.inner.enqueue(jobs, max_len).await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        self.inner.cancel(id).await
    }
}

impl<S: Source> Source for Counted<S> {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        self.receives.fetch_add(1, Ordering::Relaxed);
        self.inner.receive(take, block).await
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        self.passed().await;
        self.inner.extend(holders, visibility).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.passed().await;
        self.inner.settle(holder, settlement).await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        self.inner.depth().await
    }
}

impl<S: DeadLetters> DeadLetters for Counted<S> {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        self.inner.list(after, most).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        self.inner.get(id).await
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        self.inner.redrive(id).await
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        self.inner.discard(id).await
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        self.inner.sweep(keep, most).await
    }
}
