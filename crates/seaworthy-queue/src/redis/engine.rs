use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{RedisError, Script, ScriptInvocation, Value, cmd};
use seaworthy_store::StoreError;
use seaworthy_store::time::{Instant, now};

use super::classify::{has_code, spares_the_connection, store_error};
use super::exclusive::Exclusive;
use super::leases::Leases;
use super::settle::Ack;
use super::store::RedisStore;
use super::{dead, producer, receive, settle};
use crate::job_id::JobId;
use crate::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take,
};
use crate::together::Together;

/// The jobs of one queue in Redis Streams.
///
/// # Clone
/// Costs reference counts; clones share the connections.
#[derive(Clone)]
pub struct Redis {
    pub(super) store: RedisStore,
    pub(super) names: Arc<Names>,
    pub(super) shared: Arc<Shared>,
}

/// What of the server is the queue's.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// The stream first, as the scripts expect them.
    pub(super) keys: [String; 7],
    pub(super) group: String,
    /// Of entries that name no kind.
    pub(super) plain_kind: Box<str>,
}

#[derive(Default)]
pub(super) struct Shared {
    /// For reads that wait.
    pub(super) readers: Exclusive,
    /// For enqueuings that wait for replicas.
    pub(super) writers: Exclusive,
    pub(super) leases: Leases,
    pub(super) acks: Together<Ack, Held>,
    pub(super) rounds: Mutex<Rounds>,
    /// Whether the group has been there.
    had_group: AtomicBool,
}

/// What is done now and then.
#[derive(Default)]
pub(super) struct Rounds {
    /// When all that is pending was last looked through.
    pub(super) looked: Option<Instant>,
    /// When a step was asked for jobs whose room was filled by what is new, so that there may be more, and nothing of
    /// this process has come before it since.
    pub(super) full: Option<Instant>,
    /// When consumers of dead processes were last looked for.
    pub(super) tidied: Option<Instant>,
    /// Consumers of askings that came to nothing.
    pub(super) left: Vec<String>,
    /// What the server's clock said, and when it was told.
    pub(super) clock: Option<(Duration, Instant)>,
}

impl Redis {
    /// The jobs of the stream `name`. Beside it are the keys `{name}:later`, `{name}:bodies`, `{name}:dlq`,
    /// `{name}:ids`, `{name}:done` and `{name}:first`.
    #[must_use]
    pub fn new(name: &str, store: &RedisStore) -> Redis {
        let beside = |what| format!("{{{name}}}:{what}");
        let [later, bodies, dead, ids] = ["later", "bodies", "dlq", "ids"].map(beside);
        let keys = [name.to_owned(), later, bodies, dead, ids, beside("done"), beside("first")];
        let names = Names { keys, group: "seaworthy".to_owned(), plain_kind: Box::default() };
        Redis { store: store.clone(), names: Arc::new(names), shared: Arc::default() }
    }

    /// Reads as this consumer group. Default `seaworthy`.
    #[must_use]
    pub fn group(mut self, group: &str) -> Redis {
        Arc::make_mut(&mut self.names).group = group.to_owned();
        self
    }

    /// Keeps dead letters in the stream of this name. Default `{name}:dlq`.
    #[must_use]
    pub fn dead_letters(mut self, key: &str) -> Redis {
        Arc::make_mut(&mut self.names).keys[3] = key.to_owned();
        self
    }

    /// Takes entries that another program wrote, with a field `payload` and no more, for jobs of this kind. Default
    /// none: they are dead letters.
    #[must_use]
    pub fn plain_kind(mut self, kind: &str) -> Redis {
        Arc::make_mut(&mut self.names).plain_kind = kind.into();
        self
    }

    /// The store that it was made on.
    #[must_use]
    pub fn store(&self) -> &RedisStore {
        &self.store
    }

    /// With the queue's keys and its group.
    pub(super) fn step<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut step = script.prepare_invoke();
        for key in &self.names.keys {
            step.key(key);
        }
        step.arg(&self.names.group);
        step
    }

    /// Carries out a step; with its group, which is made again if it is gone.
    pub(super) async fn run(&self, asked: &'static str, step: &ScriptInvocation<'_>) -> Result<Value, StoreError> {
        let failed = |error: RedisError| self.failed(asked, &error);
        match self.store.run(step).await {
            Err(error) if has_code(&error, "NOGROUP") => {
                self.make_group(asked).await?;
                self.store.run(step).await.map_err(failed)
            }
            answer => answer.map_err(failed),
        }
    }

    /// What a request that does not wait failed with.
    pub(super) fn failed(&self, asked: &'static str, error: &RedisError) -> StoreError {
        if !spares_the_connection(error) {
            // Those that wait were of the same server.
            self.shared.readers.clear();
        }
        store_error(asked, error)
    }

    /// From the beginning of the stream. One that was there and is not has gone with the server's memory.
    pub(super) async fn make_group(&self, asked: &'static str) -> Result<(), StoreError> {
        let mut make = cmd("XGROUP");
        make.arg("CREATE").arg(&self.names.keys[0]).arg(&self.names.group).arg("0").arg("MKSTREAM");
        match self.store.command(&make).await {
            Err(error) if !has_code(&error, "BUSYGROUP") => return Err(store_error(asked, &error)),
            _ => {}
        }
        if self.shared.had_group.swap(true, Ordering::AcqRel) {
            let stream = self.names.keys[0].as_str();
            tracing::warn!(target: "seaworthy::queue", stream, "the consumer group was gone and was made again");
        }
        Ok(())
    }

    pub(super) fn rounds<T>(&self, look: impl FnOnce(&mut Rounds) -> T) -> T {
        look(&mut self.shared.rounds.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The group is there: a step that needs it has been carried out.
    pub(super) fn group_is_there(&self) {
        self.shared.had_group.store(true, Ordering::Release);
    }

    /// The server's time, as it last told it and our clock has gone on since.
    pub(super) fn server_time(&self) -> Duration {
        let clock = self.rounds(|rounds| rounds.clock);
        clock.map_or(Duration::ZERO, |(told, at)| told + now().saturating_duration_since(at))
    }
}

impl Producer for Redis {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        producer::enqueue(self, jobs, max_len).await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        producer::cancel(self, id).await
    }
}

impl Source for Redis {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        receive::receive(self, take, block).await
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        settle::extend(self, holders, visibility).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        settle::settle(self, holder, settlement).await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        producer::depth(self).await
    }
}

impl DeadLetters for Redis {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        dead::list(self, after, most).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        dead::get(self, id).await
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        dead::redrive(self, id).await
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        dead::discard(self, id).await
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        dead::sweep(self, keep, most).await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("store", &self.store).field("names", &self.names).finish_non_exhaustive()
    }
}
