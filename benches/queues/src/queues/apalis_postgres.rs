//! apalis on Postgres: woken by LISTEN and NOTIFY, and every 10 ms. Tasks are not locked one by one, which costs a
//! statement more. Each worker has a pool of its own, of ten connections, as processes have.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};

use super::{Contender, Push, Running, SLOTS, WORKERS, Workers};
use crate::load::{Sight, Work};

/// On the server of this URL.
pub(crate) struct Apalis(pub(crate) String);

struct Producer(PostgresStorage<Work>);

impl Push for Producer {
    fn push(&mut self, jobs: Vec<Work>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move { self.0.push_bulk(jobs).await.expect("it is accepted") })
    }
}

impl Contender for Apalis {
    fn name(&self) -> &'static str {
        "apalis-postgres"
    }

    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>> {
        let sight = Arc::clone(sight);
        Box::pin(async move {
            let config = Config::default().queue(format!("apalis{round}")).batch_size(SLOTS as usize).lock_tasks(false);
            let pool = PgPool::connect(&self.0).await.expect("the server is there");
            PostgresStorage::setup(&pool).await.expect("the tables are made");
            let producer = PostgresStorage::new(&pool).with_config(config.clone());
            let mut workers = Vec::new();
            for number in 0..WORKERS {
                let pool = PgPool::connect(&self.0).await.expect("the server is there");
                let backend = PostgresStorage::<Work>::new(&pool)
                    .with_config(config.clone())
                    .with_pubsub()
                    .poll_with_interval(Duration::from_millis(10));
                let sight = Arc::clone(&sight);
                let monitor = Monitor::new().register(move |_| {
                    let sight = Arc::clone(&sight);
                    WorkerBuilder::new(format!("worker{round}-{number}"))
                        .backend(backend.clone())
                        .concurrency(SLOTS as usize)
                        .build(move |work: Work| {
                            sight.begun(&work);
                            async { Ok::<_, BoxDynError>(()) }
                        })
                });
                workers.push(tokio::spawn(async move { monitor.run().await.expect("it works until it is stopped") }));
            }
            Running { producer: Box::new(Producer(producer)), workers: Workers(workers) }
        })
    }
}
