//! Work that goes on when whoever asked for it is gone, and whose end can be awaited.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::watch;

/// The tasks of one handle.
///
/// # Clone
/// Costs a reference count; clones count the same tasks.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<watch::Sender<usize>>);

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks(Arc::new(watch::Sender::new(0)))
    }
}

/// One that is running, until it is dropped.
#[derive(Debug)]
#[must_use = "it counts for as long as it is kept"]
pub struct Running(Tasks);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.send_modify(|running| *running -= 1);
    }
}

impl Tasks {
    /// Spawns `work` on `runtime`. If that has shut down, `work` is dropped.
    pub fn spawn(&self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        let running = self.enter();
        runtime.spawn(async move {
            let _running = running;
            work.await;
        });
    }

    /// Like [`spawn`](Self::spawn), for work that must begin although the thread that spawns it is blocked from here
    /// on: a worker keeps the task that was spawned last to itself, so this is spawned by no worker, and by none of the
    /// threads for what blocks, of which none may be free.
    pub fn spawn_apart(&self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
            return self.spawn(runtime, work);
        }
        let running = self.enter();
        let spawner = runtime.clone();
        let spawn = move || {
            spawner.spawn(async move {
                let _running = running;
                work.await;
            });
        };
        let slot = Arc::new(Mutex::new(Some(spawn)));
        let take = |slot: &Mutex<Option<_>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let theirs = Arc::clone(&slot);
        let thread = thread::Builder::new().name("seaworthy-spawn".to_owned());
        let begun = thread.spawn(move || take(&theirs).map(|spawn| spawn()));
        // The machine has no thread left, and the runtime may have.
        if begun.is_err()
            && let Some(spawn) = take(&slot)
        {
            runtime.spawn_blocking(spawn);
        }
    }

    /// Counts work that somebody else runs.
    pub fn enter(&self) -> Running {
        self.0.send_modify(|running| *running += 1);
        Running(self.clone())
    }

    /// How many are running.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until none is running.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn idle(&self) {
        let mut running = self.0.subscribe();
        // The sender is alive: it is `self`.
        let _none_left = running.wait_for(|&running| running == 0).await;
    }
}
