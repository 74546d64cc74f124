//! What the system needs from its environment: five small traits, each with an in-memory backend that can be made to
//! fail.

mod compute;
mod dns;
mod faults;
mod lb;
mod network;
mod storage;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use compute::{Compute, Instance, Logs, MemoryCompute};
pub use dns::{Dns, MemoryDns};
pub use faults::{Fault, Faults};
pub use lb::{LoadBalancer, MemoryLoadBalancer};
pub use network::{MemoryNetwork, Network};
use seaworthy::{Rejected, StackError};
pub use storage::{MemoryStorage, Storage};

/// What can go wrong in a call.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    #[error("the backend is down")]
    Down,
    #[error("there is no `{0}`")]
    NotFound(String),
    #[error("there is a `{0}` already")]
    Exists(String),
    /// Rejected before it reached the backend, or timed out.
    #[error("call rejected")]
    Rejected(#[from] Rejected),
}

/// All that a type needs to go through a stack with its own errors.
impl StackError for BackendError {
    fn rejected(&self) -> Option<&Rejected> {
        match self {
            BackendError::Rejected(rejected) => Some(rejected),
            _ => None,
        }
    }
}

pub type Answer<T> = Result<T, BackendError>;

/// Things by name.
struct Table<T>(Mutex<BTreeMap<String, T>>);

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table(Mutex::default())
    }
}

impl<T: Clone> Table<T> {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &str, row: T) -> Answer<()> {
        let mut rows = self.rows();
        if rows.contains_key(name) {
            return Err(BackendError::Exists(name.to_owned()));
        }
        rows.insert(name.to_owned(), row);
        Ok(())
    }

    fn get(&self, name: &str) -> Answer<T> {
        self.rows().get(name).cloned().ok_or_else(|| BackendError::NotFound(name.to_owned()))
    }

    fn change<U>(&self, name: &str, change: impl FnOnce(&mut T) -> U) -> Answer<U> {
        self.rows().get_mut(name).map(change).ok_or_else(|| BackendError::NotFound(name.to_owned()))
    }

    fn remove(&self, name: &str) -> Answer<T> {
        self.rows().remove(name).ok_or_else(|| BackendError::NotFound(name.to_owned()))
    }

    fn names(&self) -> Vec<String> {
        self.rows().keys().cloned().collect()
    }
}
