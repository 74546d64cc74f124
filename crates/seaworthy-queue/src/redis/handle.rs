use seaworthy::Name;

use super::engine::Redis;
use super::store::RedisStore;
use crate::job::Job;
use crate::queue::{Queue, QueueBuilder};

impl<M: Job> Queue<M, Redis> {
    /// A queue in Redis Streams, in the stream of its name: it outlives the process, and any number of processes share
    /// it. What the server's own end leaves of it is its [`Durability`](crate::redis::Durability).
    ///
    /// With other names than the usual: [`Queue::with_store`] and a [`Redis`].
    ///
    /// ```no_run
    /// # use seaworthy_queue::{Job, Queue};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Provision;
    /// # impl Job for Provision {
    /// #     const KIND: &str = "provision";
    /// # }
    /// use seaworthy_queue::redis::{Redis, RedisStore};
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::connect("redis://cache.example/").await?;
    /// let queue: Queue<Provision, _> = Queue::redis("provision", &store).build()?;
    /// // One that a program in another language fills.
    /// let theirs = Redis::new("provision_queue", &store).plain_kind("provision").dead_letters("provision_queue:dlq");
    /// let queue: Queue<Provision, _> = Queue::with_store("provision_queue", theirs).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn redis(name: impl Into<Name>, store: &RedisStore) -> QueueBuilder<M, Redis> {
        let name = name.into();
        let redis = Redis::new(name.as_str(), store);
        Queue::with_store(name, redis)
    }
}
