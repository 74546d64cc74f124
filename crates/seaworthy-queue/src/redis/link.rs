//! Connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use seaworthy_store::time::{Instant, now};

/// A request that was given up after this had its time, and tells of its connection.
const PATIENCE: Duration = Duration::from_millis(50);

/// After so many of them without an answer in between, or one that had a second, a connection is taken for broken.
const SILENT: u32 = 3;
const LONG: Duration = Duration::from_secs(1);

/// A new one, whose requests are given up after `response`.
pub(super) async fn connect(
    client: &Client,
    limit: Duration,
    response: Duration,
) -> Result<MultiplexedConnection, RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        // The driver's own default is half a second, which no blocking read outlives.
        .set_response_timeout(Some(response));
    // Boxed, because the driver's futures are large.
    Box::pin(client.get_multiplexed_async_connection_with_config(&config)).await
}

/// How many requests in a row were given up on a connection.
pub(super) type Silence = Arc<AtomicU32>;

/// A request under way. Whoever drops it has given it up: the driver does not notice that its connection is dead.
pub(super) struct UnderWay<F: FnMut()> {
    since: Instant,
    silence: Silence,
    broken: F,
    is_answered: bool,
}

impl<F: FnMut()> UnderWay<F> {
    /// `broken` is called when the connection is to be taken for that.
    pub(super) fn new(silence: Silence, broken: F) -> UnderWay<F> {
        UnderWay { since: now(), silence, broken, is_answered: false }
    }

    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl<F: FnMut()> Drop for UnderWay<F> {
    fn drop(&mut self) {
        if self.is_answered {
            return self.silence.store(0, Ordering::Relaxed);
        }
        let waited = now().saturating_duration_since(self.since);
        if waited >= PATIENCE && (self.silence.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT || waited >= LONG) {
            (self.broken)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// CO-13: a connection on which requests are given up is taken for broken after three, or one of a second; not by
    /// callers that had no patience, and not while answers come.
    #[tokio::test(start_paused = true)]
    async fn silence() {
        let (silence, broken) = (Silence::default(), Cell::new(0));
        let given_up = async |after: Duration| {
            let under_way = UnderWay::new(Arc::clone(&silence), || broken.set(broken.get() + 1));
            tokio::time::advance(after).await;
            drop(under_way);
            broken.get()
        };
        for _ in 0..9 {
            assert_eq!(given_up(PATIENCE / 2).await, 0);
        }
        assert_eq!((given_up(PATIENCE).await, given_up(PATIENCE).await), (0, 0));
        UnderWay::new(Arc::clone(&silence), || unreachable!("it was answered")).answered();
        assert_eq!((given_up(PATIENCE).await, given_up(PATIENCE).await), (0, 0));
        assert_eq!(given_up(PATIENCE).await, 1);
        silence.store(0, Ordering::Relaxed);
        assert_eq!(given_up(LONG).await, 2);
    }
}
