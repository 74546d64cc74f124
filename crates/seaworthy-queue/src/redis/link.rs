//! Connections.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use seaworthy_store::StoreError;
use seaworthy_store::time::{Instant, now};

use super::classify::store_error;

/// Without an answer for so long, a connection is taken for broken.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// A new one, whose requests are given up after `response`.
pub(super) async fn connect(
    client: &Client,
    asked: &'static str,
    limit: Duration,
    response: Duration,
) -> Result<MultiplexedConnection, StoreError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        // The driver's own default is half a second, which no blocking read outlives.
        .set_response_timeout(Some(response));
    // Boxed, because the driver's futures are large.
    let connecting = Box::pin(client.get_multiplexed_async_connection_with_config(&config));
    connecting.await.map_err(|error| store_error(asked, &error))
}

/// A request under way. If it is dropped after it was suspiciously long without an answer, `broken` is called.
pub(super) struct UnderWay<F: FnMut()> {
    since: Instant,
    broken: F,
    is_answered: bool,
}

impl<F: FnMut()> UnderWay<F> {
    pub(super) fn new(broken: F) -> UnderWay<F> {
        UnderWay { since: now(), broken, is_answered: false }
    }

    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl<F: FnMut()> Drop for UnderWay<F> {
    fn drop(&mut self) {
        if !self.is_answered && now().saturating_duration_since(self.since) >= SUSPICIOUS {
            (self.broken)();
        }
    }
}
