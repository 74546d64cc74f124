use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::conformance::{self, Subject};
use seaworthy_queue::redis::{Redis, RedisStore};
use tokio::task::spawn_blocking;

use super::support::pass;

/// A stream for each check.
#[derive(Clone)]
struct InRedis {
    store: RedisStore,
    next: Arc<AtomicU32>,
}

impl Subject for InRedis {
    type Store = Redis;

    async fn fresh(&self) -> Redis {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Redis::new(&format!("q{number}"), &self.store)
    }

    async fn pass(&self, span: Duration) {
        pass(span).await;
    }
}

/// QU-90: jobs in Redis pass the suite that every store is held to.
#[tokio::test(flavor = "multi_thread")]
async fn redis_conforms() {
    let server = spawn_blocking(|| Server::start(Persistence::EverySec)).await.unwrap();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    conformance::run(&InRedis { store, next: Arc::default() }).await;
    drop(server);
}
