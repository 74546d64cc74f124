use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy_faults::redis::{Persistence, Redis as Server, Reply};
use seaworthy_queue::ErrorClass;
use seaworthy_queue::conformance::{self, Subject};
use seaworthy_queue::redis::{Durability, Redis, RedisStore};
use seaworthy_queue::store::{Held, Producer, Source};
use tokio::task::spawn_blocking;

use super::support::{ACK, dead, job, one, pass, retry, take};

/// As the package's documents have it.
const DOCS: &str = include_str!("../../../../seaworthy-queue/docs/redis.md");

#[derive(Clone)]
struct WithRights {
    store: RedisStore,
    next: Arc<AtomicU32>,
}

impl Subject for WithRights {
    type Store = Redis;

    async fn fresh(&self) -> Redis {
        Redis::new(&format!("jobs{}", self.next.fetch_add(1, Ordering::Relaxed)), &self.store)
    }

    async fn pass(&self, span: Duration) {
        pass(span).await;
    }
}

/// SE-04: a user with the rights that the documents list, and no other, passes the whole suite; one without a right is
/// refused, and told which.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_that_are_listed() {
    let server = spawn_blocking(|| Server::start(Persistence::Always)).await.unwrap();
    let line = DOCS.lines().find(|line| line.trim().starts_with("ACL SETUSER app")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(words.contains(&"+evalsha") && !line.contains("+@"), "{line}");
    assert_eq!(server.ask(&words), Reply::Text("OK".to_owned()));
    let url = format!("redis://app:secret@{}/", server.addr());
    let store = RedisStore::connect(&url).await.unwrap();
    assert_eq!(store.durability(), Durability::OnDisk);
    conformance::run(&WithRights { store: store.clone(), next: Arc::default() }).await;
    let queue = Redis::new("jobs", &store);
    // What the suite does not do: wait.
    queue.receive(&take(1), Duration::from_millis(20)).await.unwrap();
    let replicated = RedisStore::builder(&url).wait_replicas(1, Duration::from_millis(5)).connect().await.unwrap();
    let waited = Redis::new("jobs", &replicated).enqueue(&[job("a")], None).await.unwrap_err();
    assert_eq!(waited.class(), ErrorClass::Unavailable, "{waited}");
    let elsewhere = Redis::new("elsewhere", &store).enqueue(&[job("a")], None).await.unwrap_err();
    assert_eq!(elsewhere.class(), ErrorClass::Refused, "{elsewhere}");
    server.ask(&["ACL", "SETUSER", "app", "+xadd"]);
    let asked = take(1);
    let (_, held) = one(&queue, &asked).await;
    server.ask(&["ACL", "SETUSER", "app", "-xadd"]);
    let error = queue.enqueue(&[job("b")], None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused, "{error}");
    assert!(error.to_string().contains("can't run this command"), "{error}");
    for settlement in [retry(Duration::ZERO), dead("never")] {
        assert_eq!(queue.settle(&held, &settlement).await.unwrap_err().class(), ErrorClass::Refused);
    }
    assert_eq!(queue.settle(&held, &ACK).await.unwrap(), Held::Yes, "it is where it was");
    spawn_blocking(move || drop(server)).await.unwrap();
}
