use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, RedisError, ScriptInvocation, Value};
use seaworthy_store::StoreError;
use tokio::sync::Semaphore;

use super::builder::{RedisStoreBuilder, Settings};
use super::classify::{spares_the_connection, store_error};
use super::durability::Durability;
use super::link::{Silence, UnderWay, connect};
use super::server;

/// Sends scripts to a Redis, or a Valkey, each with a limit of time.
///
/// One connection is for all requests but those that wait, which have their own.
///
/// # Clone
/// Costs a reference count; clones share the connections.
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

struct Shared {
    client: Client,
    settings: Settings,
    durability: Durability,
    current: Mutex<Current>,
    /// One at a time connects for all.
    connecting: Semaphore,
}

/// The connection for all requests that do not wait.
#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Counts the attempts to connect, so that a broken connection is not taken for the one after it.
    number: u64,
    silence: Silence,
    /// What the last attempt failed with.
    failed: Option<RedisError>,
}

/// The connection for one request.
struct Lent {
    connection: MultiplexedConnection,
    number: u64,
    silence: Silence,
}

impl RedisStore {
    /// Connects by a URL, `redis://user:password@host:port/database`, with the default settings.
    ///
    /// # Errors
    /// As [`RedisStoreBuilder::connect`].
    ///
    /// # Cancellation
    /// As [`RedisStoreBuilder::connect`].
    pub async fn connect(url: &str) -> Result<RedisStore, StoreError> {
        RedisStore::builder(url).connect().await
    }

    /// Settings of a store.
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    pub(super) async fn open(client: Client, settings: Settings) -> Result<RedisStore, StoreError> {
        let limit = settings.request_timeout;
        let connecting = connect(&client, limit, limit).await;
        let mut connection = connecting.map_err(|error| store_error("connect", &error))?;
        let durability = server::check(&mut connection, settings.accept_loss).await?;
        let current = Mutex::new(Current { connection: Some(connection), ..Current::default() });
        let connecting = Semaphore::new(1);
        Ok(RedisStore(Arc::new(Shared { client, settings, durability, current, connecting })))
    }

    /// What the server keeps when it ends, as its settings were when this store connected.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.0.durability
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever comes next connects again. The connection itself ends with the last request that is on it.
    fn give_up(&self, number: u64) {
        let given_up = {
            let mut current = self.current();
            if current.number == number { current.connection.take() } else { None }
        };
        drop(given_up);
    }

    /// A connection beside this one has failed like that: if it broke, so may this one have, and whoever comes next
    /// connects again rather than find that out by an error of its own.
    pub(super) fn suspect(&self, error: &RedisError) {
        if !spares_the_connection(error) {
            let number = self.current().number;
            self.give_up(number);
        }
    }

    async fn connection(&self) -> Result<Lent, RedisError> {
        let before = {
            let current = self.current();
            match current.lend() {
                Some(lent) => return Ok(lent),
                None => current.number,
            }
        };
        // It is never closed.
        let _only_one = self.0.connecting.acquire().await;
        {
            let current = self.current();
            if let Some(lent) = current.lend() {
                return Ok(lent);
            }
            // Who waited for an attempt that failed has its answer, too.
            if let Some(error) = current.failed.as_ref().filter(|_| current.number != before) {
                return Err(error.clone());
            }
        }
        let limit = self.0.settings.request_timeout;
        let connected = connect(&self.0.client, limit, limit).await;
        let mut current = self.current();
        current.number += 1;
        current.silence = Silence::default();
        current.failed = connected.as_ref().err().cloned();
        current.connection = Some(connected?);
        current.lend().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
    }

    /// Runs a script; sends its text if the server does not know it, or not any more.
    pub(super) async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Value, RedisError> {
        let mut lent = self.connection().await?;
        let under_way = UnderWay::new(lent.silence, || self.give_up(lent.number));
        let answer = Box::pin(script.invoke_async(&mut lent.connection)).await;
        under_way.answered();
        self.judged(answer, lent.number)
    }

    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, RedisError> {
        let mut lent = self.connection().await?;
        let under_way = UnderWay::new(lent.silence, || self.give_up(lent.number));
        let answer = Box::pin(command.query_async(&mut lent.connection)).await;
        under_way.answered();
        self.judged(answer, lent.number)
    }

    fn judged(&self, answer: Result<Value, RedisError>, number: u64) -> Result<Value, RedisError> {
        if answer.as_ref().is_err_and(|error| !spares_the_connection(error)) {
            self.give_up(number);
        }
        answer
    }
}

impl Current {
    fn lend(&self) -> Option<Lent> {
        let (number, silence) = (self.number, Arc::clone(&self.silence));
        self.connection.clone().map(|connection| Lent { connection, number, silence })
    }
}

/// Not the address, which may have a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("settings", &self.0.settings)
            .field("durability", &self.0.durability)
            .finish_non_exhaustive()
    }
}
