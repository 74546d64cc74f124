//! Queues in a Redis, and jobs for them.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_faults::redis::{Prefix, Redis as Server, Reply};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Due, Entry, Holder, NewJob, Producer, Settlement, Source, Take, Taken};
use seaworthy_queue::{Headers, JobId, StoreError};
use seaworthy_store::random;
use tokio::task::spawn_blocking;

pub(super) const LONG: Duration = Duration::from_secs(60);
pub(super) const ACK: Settlement = Settlement::Ack { remember: None };

/// A queue of its own in the server that tests share, whose keys are removed with this value.
pub(super) struct Space {
    prefix: Prefix,
    pub(super) store: RedisStore,
    pub(super) queue: Redis,
}

impl Space {
    pub(super) async fn new() -> Space {
        let prefix = spawn_blocking(Prefix::new).await.unwrap();
        let store = RedisStore::builder(prefix.url()).accept_loss().connect().await.unwrap();
        let queue = Redis::new(&prefix.key("q"), &store);
        Space { prefix, store, queue }
    }

    pub(super) fn url(&self) -> &str {
        self.prefix.url()
    }

    /// The stream.
    pub(super) fn stream(&self) -> String {
        self.prefix.key("q")
    }

    /// A key beside it.
    pub(super) fn beside(&self, what: &str) -> String {
        format!("{{{}}}:{what}", self.stream())
    }

    pub(super) fn ask(&self, words: &[&str]) -> Reply {
        self.prefix.ask(words)
    }

    pub(super) fn number(&self, words: &[&str]) -> i64 {
        let reply = self.ask(words);
        reply.number().unwrap_or_else(|| panic!("{words:?}: {reply:?}"))
    }

    /// How many are pending.
    pub(super) fn pending(&self) -> i64 {
        let reply = self.ask(&["XPENDING", &self.stream(), "seaworthy"]);
        reply.list().and_then(|summary| summary.first()?.number()).unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// What consumers the group has.
    pub(super) fn consumers(&self) -> usize {
        self.ask(&["XINFO", "CONSUMERS", &self.stream(), "seaworthy"]).list().map_or(0, <[Reply]>::len)
    }
}

impl Drop for Space {
    /// Its keys do not all begin with the prefix.
    fn drop(&mut self) {
        let keys = ["later", "bodies", "dlq", "ids", "done", "first"].map(|what| self.beside(what));
        let words: Vec<&str> = ["DEL"].into_iter().chain(keys.iter().map(String::as_str)).collect();
        self.prefix.ask(&words);
    }
}

/// Calls what blocks, with a server of one's own.
pub(super) async fn with<T: Send + 'static>(
    server: Server,
    call: impl FnOnce(&mut Server) -> T + Send + 'static,
) -> (Server, T) {
    let called = spawn_blocking(move || {
        let mut server = server;
        let out = call(&mut server);
        (server, out)
    });
    called.await.unwrap()
}

pub(super) fn id(text: &str) -> JobId {
    JobId::new(text).unwrap()
}

pub(super) fn job(text: &str) -> NewJob {
    let body = Bytes::from(format!("\"{text}\""));
    NewJob { id: id(text), kind: "kind".into(), version: 1, headers: Headers::default(), body, due: Due::Now }
}

pub(super) fn after(text: &str, span: Duration) -> NewJob {
    NewJob { due: Due::After(span), ..job(text) }
}

/// For so many, under an owner of its own.
pub(super) fn take(room: u32) -> Take {
    Take { owner: random::unique(), repeats: false, room, visibility: LONG, max_deliveries: 1_000 }
}

pub(super) fn holder(take: &Take, taken: &Taken) -> Holder {
    Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence }
}

pub(super) fn retry(after: Duration) -> Settlement {
    Settlement::Retry { after, reason: "no luck".into() }
}

pub(super) fn dead(reason: &str) -> Settlement {
    Settlement::Dead { reason: reason.into() }
}

pub(super) async fn accept(queue: &Redis, jobs: &[NewJob]) {
    assert_eq!(queue.enqueue(jobs, None).await.unwrap(), vec![Entry::Accepted; jobs.len()]);
}

pub(super) async fn all(queue: &Redis, take: &Take) -> Vec<Taken> {
    queue.receive(take, Duration::ZERO).await.unwrap().jobs
}

/// One job, which has to be there, and its delivery.
pub(super) async fn one(queue: &Redis, take: &Take) -> (Taken, Holder) {
    let taken = all(queue, take).await.pop().expect("a job is there");
    let holder = holder(take, &taken);
    (taken, holder)
}

pub(super) async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Everything that it says, to whoever logs it.
pub(super) fn all_of(error: &StoreError) -> String {
    format!("{error} {error:?} {error:#?}")
}

/// What comes true by itself, in a while.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        pass(Duration::from_millis(25)).await;
    }
    panic!("it did not come true within 10 s that {what}");
}
