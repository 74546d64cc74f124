//! Queues in a schema of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use seaworthy::Shutdown;
use seaworthy_queue::postgres::{Postgres, migrate};
use seaworthy_queue::store::{Due, Holder, NewJob, Received, Settlement, Source, Take, Taken};
use seaworthy_queue::{Consumer, Delivery, Headers, Job, JobId, Queue};
use seaworthy_store::random;
use tokio::task::JoinHandle;

pub(super) use crate::space::{Session, Space, until};

pub(super) const LONG: Duration = Duration::from_secs(3_600);
pub(super) const ACK: Settlement = Settlement::Ack { remember: None };

pub(super) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Number(pub(super) u64);

impl Job for Number {
    const KIND: &str = "number";
}

impl Space {
    /// With the tables of jobs.
    pub(super) async fn of_jobs() -> Space {
        let space = Space::empty().await;
        let store = space.store().await;
        migrate(&store).await.unwrap();
        store.close().await;
        space
    }

    /// The engine of the queue `q`.
    pub(super) async fn jobs(&self) -> Postgres {
        Postgres::new("q", &self.store().await)
    }
}

impl Session {
    /// Live jobs, by their states, and dead ones, and remembered ones.
    pub(super) async fn copies(&mut self) -> String {
        let counts = "SELECT concat_ws(' ',
            (SELECT count(*) FROM seaworthy_job WHERE state = 0), (SELECT count(*) FROM seaworthy_job WHERE state = 1),
            (SELECT count(*) FROM seaworthy_dead_job), (SELECT count(*) FROM seaworthy_done_job))";
        self.text(counts).await.trim().to_owned()
    }
}

pub(super) fn id(text: &str) -> JobId {
    JobId::new(text).unwrap()
}

pub(super) fn job(text: &str) -> NewJob {
    let body = Bytes::from_static(b"7");
    NewJob { id: id(text), kind: "number".into(), version: 1, headers: Headers::default(), body, due: Due::Now }
}

/// For one job, for a long time.
pub(super) fn take() -> Take {
    Take { owner: random::unique(), repeats: false, room: 1, visibility: LONG, max_deliveries: 1_000 }
}

pub(super) fn holder(take: &Take, taken: &Taken) -> Holder {
    Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence }
}

pub(super) async fn received(jobs: &Postgres, take: &Take) -> Received {
    jobs.receive(take, Duration::ZERO).await.unwrap()
}

pub(super) fn ids(received: &Received) -> Vec<&str> {
    received.jobs.iter().map(|taken| taken.id.as_str()).collect()
}

/// How often each job was begun.
#[derive(Clone, Default)]
pub(super) struct Begun(Arc<Mutex<HashMap<String, u32>>>);

impl Begun {
    pub(super) fn note(&self, id: &str) {
        *self.0.lock().unwrap().entry(id.to_owned()).or_default() += 1;
    }

    pub(super) fn all(&self) -> HashMap<String, u32> {
        self.0.lock().unwrap().clone()
    }
}

/// A consumer that works for `span` on each job, until it is dropped.
pub(super) struct Working(JoinHandle<()>);

impl Working {
    pub(super) fn on(queue: &Queue<Number, Postgres>, begun: &Begun, span: Duration) -> Working {
        let begun = begun.clone();
        let service = tower::service_fn(move |delivery: Delivery<Number>| {
            begun.note(delivery.id().as_str());
            async move {
                tokio::time::sleep(span).await;
                Ok::<_, seaworthy::BoxError>(())
            }
        });
        let consumer = Consumer::new(queue.clone()).visibility(Duration::from_secs(4)).service(service);
        Working(tokio::spawn(async move {
            let (_trigger, never) = Shutdown::new();
            consumer.run(never).await.unwrap();
        }))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.abort();
    }
}
