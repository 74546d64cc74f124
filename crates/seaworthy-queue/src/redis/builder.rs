use std::fmt;
use std::time::Duration;

use redis::{Client, IntoConnectionInfo};
use seaworthy_store::{ErrorClass, StoreError};

use super::store::RedisStore;

/// Of a [`RedisStore`].
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) request_timeout: Duration,
    pub(super) accept_loss: bool,
    pub(super) replicas: Option<(u32, Duration)>,
}

/// Settings of a [`RedisStore`].
#[must_use = "a builder does nothing until it connects"]
pub struct RedisStoreBuilder {
    url: String,
    settings: Settings,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: &str) -> RedisStoreBuilder {
        let request_timeout = Duration::from_secs(5);
        let settings = Settings { request_timeout, accept_loss: false, replicas: None };
        RedisStoreBuilder { url: url.to_owned(), settings }
    }

    /// How long each request may take, and each connecting. Default 5 s; at least 50 ms.
    pub fn request_timeout(mut self, limit: Duration) -> RedisStoreBuilder {
        self.settings.request_timeout = limit;
        self
    }

    /// Takes a server that loses accepted jobs when it ends. Default not.
    pub fn accept_loss(mut self) -> RedisStoreBuilder {
        self.settings.accept_loss = true;
        self
    }

    /// Lets an enqueuing end only when so many replicas have the jobs, and fail as unavailable, its outcome unknown,
    /// when fewer have them within `limit`. Default none; the limit is at least 1 ms and below the request timeout.
    ///
    /// This narrows what a failover can lose, and does not close it.
    pub fn wait_replicas(mut self, replicas: u32, limit: Duration) -> RedisStoreBuilder {
        self.settings.replicas = Some((replicas, limit));
        self
    }

    /// Connects, and looks whether the server can be used.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if a setting cannot be used, the server is older than 6.2, may evict jobs,
    /// would lose them in a restart (unless that is [accepted](Self::accept_loss)), or does not let this user in;
    /// [`Unavailable`](ErrorClass::Unavailable) if it does not answer in time.
    ///
    /// # Cancellation
    /// Dropping it leaves nothing.
    pub async fn connect(self) -> Result<RedisStore, StoreError> {
        let refused = |why: &str| StoreError::new(ErrorClass::Refused, "connect", why);
        let Settings { request_timeout, replicas, .. } = &self.settings;
        if *request_timeout < Duration::from_millis(50) {
            return Err(refused("request_timeout must be at least 50 ms"));
        }
        if replicas.is_some_and(|(_, limit)| limit < Duration::from_millis(1) || limit >= *request_timeout) {
            return Err(refused("the limit of wait_replicas must be at least 1 ms and below the request timeout"));
        }
        // The driver's error is not shown: it can have the URL in it.
        let unusable = |_| refused("the URL is none that can be used");
        let info = self.url.as_str().into_connection_info().map_err(unusable)?;
        // A name for lists of clients, which is a right more and an answer more.
        let unnamed = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(unnamed)).map_err(unusable)?;
        RedisStore::open(client, self.settings).await
    }
}

/// Not the URL, which may have a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
