//! A queue in Redis Streams: one script a step, in files of their own beside this one.
//!
//! ```no_run
//! use seaworthy_queue::redis::RedisStore;
//! use seaworthy_queue::{Job, Queue};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Provision {
//!     tenant: String,
//! }
//!
//! impl Job for Provision {
//!     const KIND: &str = "provision";
//! }
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://app:secret@cache.example/0").await?;
//! let queue: Queue<Provision, _> = Queue::redis("provision", &store).build()?;
//! queue.enqueue(Provision { tenant: "acme".to_owned() }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is accepted is as safe as the server keeps it: what it promises is a [`Durability`], and one that would lose
//! every job in a restart is refused. A failover loses what was not yet replicated. Jobs that must not be lost belong
//! into Postgres. The package's `docs/redis.md` says what each setting loses, and which rights are needed.
//!
//! Live jobs are entries of a stream, which is named after the queue, and those that are not due yet are beside it. Who
//! has a job, since when, and how often it was delivered is the pending list of a consumer group, whose consumers are
//! askings for jobs: each ends with the last of its jobs.

mod builder;
mod classify;
mod dead;
mod durability;
mod engine;
mod entry;
mod exclusive;
mod handle;
mod leases;
mod link;
mod producer;
mod receive;
mod reply;
mod scripts;
mod server;
mod settle;
mod store;

pub use builder::RedisStoreBuilder;
pub use durability::Durability;
pub use engine::Redis;
pub use store::RedisStore;
