//! The queues, each with one producer and two workers of 32 slots.

pub(crate) mod apalis_postgres;
pub(crate) mod apalis_redis;
pub(crate) mod ours;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::load::{Sight, Work};

pub(crate) const WORKERS: usize = 2;
pub(crate) const SLOTS: u32 = 32;

/// Enqueues all of these, in one request.
pub(crate) trait Push: Send {
    fn push(&mut self, jobs: Vec<Work>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A queue of a name that is used once, with its workers at work; they end with it.
pub(crate) struct Running {
    pub(crate) producer: Box<dyn Push>,
    pub(crate) workers: Workers,
}

pub(crate) struct Workers(pub(crate) Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Who is measured.
pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    /// Begins to work; what is in the store of earlier rounds is gone.
    fn start(&self, round: usize, sight: &Arc<Sight>) -> Pin<Box<dyn Future<Output = Running> + '_>>;
}
