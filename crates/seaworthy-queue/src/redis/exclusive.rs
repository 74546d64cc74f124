//! Connections that one request has to itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use seaworthy_store::StoreError;

use super::link::connect;
use super::store::RedisStore;

/// Those that nobody uses just now.
#[derive(Clone, Default)]
pub(super) struct Exclusive(Arc<Mutex<Vec<MultiplexedConnection>>>);

impl Exclusive {
    /// One whose requests are given up after `response`. If it is not given back it is closed, and what was asked on it
    /// with it.
    pub(super) async fn take(
        &self,
        store: &RedisStore,
        asked: &'static str,
        response: Duration,
    ) -> Result<MultiplexedConnection, StoreError> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(mut connection) => {
                connection.set_response_timeout(response);
                Ok(connection)
            }
            None => connect(store.client(), asked, store.settings().request_timeout, response).await,
        }
    }

    pub(super) fn give_back(&self, connection: MultiplexedConnection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
