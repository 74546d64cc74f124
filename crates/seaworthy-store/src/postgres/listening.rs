//! Notifications, on one connection that all who wait share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::postgres::bells::Bells;
use crate::retry_wait::RetryWait;
use crate::time::sleep;

/// Over which all packages tell.
pub(super) const CHANNEL: &str = "seaworthy";

/// A connection that was silent for so long is asked whether it lives.
const ASKED_AFTER: Duration = Duration::from_secs(30);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Ends with this value.
#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) bells: Arc<Bells>,
    task: Mutex<Task>,
}

#[derive(Debug, Default)]
enum Task {
    #[default]
    NotBegun,
    Begun(JoinHandle<()>),
    Closed,
}

impl Listening {
    /// Begins, unless it has; again if the runtime on which it ran has shut down.
    pub(super) fn begin(&self, options: &PgConnectOptions) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let is_needed = match &*task {
            Task::NotBegun => true,
            Task::Begun(running) => running.is_finished(),
            Task::Closed => false,
        };
        if is_needed {
            *task = Task::Begun(Handle::current().spawn(listen(options.clone(), Arc::clone(&self.bells))));
        }
    }

    pub(super) fn close(&self) {
        let closed = std::mem::replace(&mut *self.task.lock().unwrap_or_else(PoisonError::into_inner), Task::Closed);
        if let Task::Begun(running) = closed {
            running.abort();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.close();
    }
}

/// For ever: what fails is repeated, and what may have been missed meanwhile is told when it works again.
async fn listen(options: PgConnectOptions, bells: Arc<Bells>) {
    let mut waits = RetryWait::default();
    loop {
        let _lost = once(&options, &bells).await;
        sleep(waits.after_error()).await;
    }
}

/// Until the connection is lost.
async fn once(options: &PgConnectOptions, bells: &Bells) -> Result<(), sqlx::Error> {
    // The driver lends a connection that listens from a pool alone, so that this is one of one.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWERS_WITHIN);
    let pool = pool.connect_lazy_with(options.clone());
    let listening = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        // We have to know when it was lost.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok::<_, sqlx::Error>(listener)
    };
    let mut listener = timeout(ANSWERS_WITHIN, listening).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    bells.ring_all();
    loop {
        match timeout(ASKED_AFTER, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => bells.ring(notice.payload()),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_silent) => {
                let asked = sqlx::query("SELECT 1").execute(&mut listener);
                timeout(ANSWERS_WITHIN, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
