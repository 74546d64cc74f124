//! Connections that one request has to itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use seaworthy_store::StoreError;

use super::classify::store_error;
use super::link::connect;
use super::store::RedisStore;

/// Those that nobody uses just now.
#[derive(Default)]
pub(super) struct Exclusive(Mutex<Vec<MultiplexedConnection>>);

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
            None => {
                let connecting = connect(store.client(), store.settings().request_timeout, response);
                connecting.await.map_err(|error| store_error(asked, &error))
            }
        }
    }

    /// Closes those that nobody uses, so that a server that was away costs one request and not one for each.
    pub(super) fn clear(&self) {
        let closed = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(closed);
    }

    pub(super) fn give_back(&self, connection: MultiplexedConnection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
