//! seaworthy-queue, with its defaults: a store of its own for the producer and for each worker, as processes have.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::redis::RedisStore;
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Queue, postgres, sqlite};
use seaworthy_store::postgres::PgStore;
use seaworthy_store::sqlite::{SqliteStore, Synchronous};
use tokio::task::JoinHandle;
use tower::service_fn;

use super::{Contender, Push, Running, SLOTS, WORKERS, Workers};
use crate::load::{Sight, Work};

struct Producer<S>(Queue<Work, S>);

impl<S: QueueStore> Push for Producer<S> {
    fn push(&mut self, jobs: Vec<Work>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let accepted =
                self.0.enqueue_many(jobs.into_iter().map(EnqueueRequest::new)).await.expect("it is accepted");
            assert!(accepted.iter().all(|accepted| accepted.is_new()));
        })
    }
}

fn worker<S: QueueStore>(queue: Queue<Work, S>, sight: Arc<Sight>) -> JoinHandle<()> {
    let service = service_fn(move |delivery: Delivery<Work>| {
        sight.begun(delivery.job());
        async { Ok::<_, BoxError>(()) }
    });
    tokio::spawn(async move {
        let (_trigger, never) = Shutdown::new();
        Consumer::new(queue)
            .concurrency(SLOTS)
            .service(service)
            .run(never)
            .await
            .expect("it works until it is stopped");
    })
}

fn running<S: QueueStore>(producer: Queue<Work, S>, workers: Vec<JoinHandle<()>>) -> Running {
    Running { producer: Box::new(Producer(producer)), workers: Workers(workers) }
}

/// In Redis Streams.
pub(crate) struct Redis(pub(crate) String);

impl Redis {
    async fn queue(&self, round: usize) -> Queue<Work, seaworthy_queue::redis::Redis> {
        let store = RedisStore::connect(&self.0).await.expect("the server is there");
        Queue::redis(format!("ours{round}"), &store).build().expect("the settings are right")
    }
}

impl Contender for Redis {
    fn name(&self) -> &'static str {
        "seaworthy-queue, Redis"
    }

    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>> {
        let sight = Arc::clone(sight);
        Box::pin(async move {
            let mut workers = Vec::new();
            for _ in 0..WORKERS {
                workers.push(worker(self.queue(round).await, Arc::clone(&sight)));
            }
            running(self.queue(round).await, workers)
        })
    }
}

/// In Postgres.
pub(crate) struct Postgres(pub(crate) String);

impl Postgres {
    async fn queue(&self, round: usize) -> Queue<Work, postgres::Postgres> {
        let store = PgStore::connect(&self.0).await.expect("the server is there");
        postgres::migrate(&store).await.expect("the tables are made");
        Queue::postgres(format!("ours{round}"), &store).build().expect("the settings are right")
    }
}

impl Contender for Postgres {
    fn name(&self) -> &'static str {
        "seaworthy-queue, Postgres"
    }

    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>> {
        let sight = Arc::clone(sight);
        Box::pin(async move {
            let mut workers = Vec::new();
            for _ in 0..WORKERS {
                workers.push(worker(self.queue(round).await, Arc::clone(&sight)));
            }
            running(self.queue(round).await, workers)
        })
    }
}

/// In a file; all in one process, on one store.
pub(crate) struct Sqlite {
    pub(crate) path: PathBuf,
    pub(crate) is_full: bool,
}

impl Contender for Sqlite {
    fn name(&self) -> &'static str {
        if self.is_full { "seaworthy-queue, SQLite FULL" } else { "seaworthy-queue, SQLite NORMAL" }
    }

    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>> {
        let sight = Arc::clone(sight);
        Box::pin(async move {
            let synchronous = if self.is_full { Synchronous::Full } else { Synchronous::Normal };
            let path = self.path.join(format!("{round}-{}.db", self.is_full));
            let opening = SqliteStore::builder(path).synchronous(synchronous).open();
            let store = opening.await.expect("the file is made");
            sqlite::Sqlite::new("ours", &store).migrate().await.expect("the tables are made");
            let queue = Queue::sqlite("ours", &store).build().expect("the settings are right");
            let workers = (0..WORKERS).map(|_| worker(queue.clone(), Arc::clone(&sight))).collect();
            running(queue, workers)
        })
    }
}
