use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, RedisError, ScriptInvocation, Value};
use seaworthy_store::StoreError;
use tokio::sync::Semaphore;

use super::builder::{RedisStoreBuilder, Settings};
use super::classify::{spares_the_connection, store_error};
use super::durability::Durability;
use super::link::{UnderWay, connect};
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
    /// Counts the connections, so that a broken one is not taken for the one after it.
    number: u64,
}

/// Why a request failed: before it was sent, or as the driver says it.
pub(super) enum Failed {
    Before(StoreError),
    Driver(RedisError),
}

impl Failed {
    pub(super) fn into_error(self, asked: &'static str) -> StoreError {
        match self {
            Failed::Before(error) => error,
            Failed::Driver(error) => store_error(asked, &error),
        }
    }
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
        let mut connection = connect(&client, "connect", limit, limit).await?;
        let durability = server::check(&mut connection, settings.accept_loss).await?;
        let current = Mutex::new(Current { connection: Some(connection), number: 0 });
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

    fn current(&self) -> Option<(MultiplexedConnection, u64)> {
        let current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.connection.clone().map(|connection| (connection, current.number))
    }

    /// Whoever comes next connects again. The connection itself ends with the last request that is on it.
    fn give_up(&self, number: u64) {
        let given_up = {
            let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
            if current.number == number { current.connection.take() } else { None }
        };
        drop(given_up);
    }

    async fn connection(&self, asked: &'static str) -> Result<(MultiplexedConnection, u64), StoreError> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        // It is never closed.
        let _only_one = self.0.connecting.acquire().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let limit = self.0.settings.request_timeout;
        let connection = connect(&self.0.client, asked, limit, limit).await?;
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok((connection, current.number))
    }

    /// Runs a script; sends its text if the server does not know it, or not any more.
    pub(super) async fn run(&self, asked: &'static str, script: &ScriptInvocation<'_>) -> Result<Value, Failed> {
        let (mut connection, number) = self.connection(asked).await.map_err(Failed::Before)?;
        let under_way = UnderWay::new(|| self.give_up(number));
        let answer = Box::pin(script.invoke_async(&mut connection)).await;
        under_way.answered();
        self.judged(answer, number)
    }

    pub(super) async fn command(&self, asked: &'static str, command: &Cmd) -> Result<Value, Failed> {
        let (mut connection, number) = self.connection(asked).await.map_err(Failed::Before)?;
        let under_way = UnderWay::new(|| self.give_up(number));
        let answer = Box::pin(command.query_async(&mut connection)).await;
        under_way.answered();
        self.judged(answer, number)
    }

    fn judged(&self, answer: Result<Value, RedisError>, number: u64) -> Result<Value, Failed> {
        answer.map_err(|error| {
            if !spares_the_connection(&error) {
                self.give_up(number);
            }
            Failed::Driver(error)
        })
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
