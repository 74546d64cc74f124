//! apalis on Redis: woken by its own publishing, since without it polls by the clock; woken anyway every 10 ms, because a
//! message that is lost would be a wait until the next heartbeat. Tasks are not locked, as its documentation advises for
//! those that are shorter than a heartbeat. Results are kept, which is how it acknowledges.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::*;
use apalis_redis::factory::RedisStorageFactory;
use apalis_redis::{Client, Config, RedisStorage};

use super::{Contender, Push, Running, SLOTS, WORKERS, Workers};
use crate::load::{Sight, Work};

/// On the server of this URL.
pub(crate) struct Apalis(pub(crate) String);

struct Producer(RedisStorage<Work>);

impl Push for Producer {
    fn push(&mut self, jobs: Vec<Work>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move { self.0.push_bulk(jobs).await.expect("it is accepted") })
    }
}

impl Contender for Apalis {
    fn name(&self) -> &'static str {
        "apalis-redis"
    }

    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>> {
        let sight = Arc::clone(sight);
        Box::pin(async move {
            let config = Config::default().queue(format!("apalis{round}")).batch_size(SLOTS as usize).lock_tasks(false);
            let connection = apalis_redis::connect(self.0.as_str()).await.expect("the server is there");
            let producer = RedisStorage::new(connection).with_config(config.clone());
            let mut workers = Vec::new();
            for number in 0..WORKERS {
                // A connection of its own for each, as processes have.
                let separator = if self.0.contains('?') { '&' } else { '?' };
                let client = Client::open(format!("{}{separator}protocol=resp3", self.0)).expect("the URL is right");
                let mut factory = RedisStorageFactory::new(client).await.expect("the server is there");
                let backend = BackendFactory::<Work>::create_with_config(&mut factory, config.clone())
                    .expect("a storage is made")
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
