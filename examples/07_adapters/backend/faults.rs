use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Answer, BackendError};

/// How a backend treats its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Answers with an error.
    Fail,
    /// Never answers.
    Hang,
    /// Answers late.
    Slow(Duration),
}

/// Sets how a backend treats its calls, and counts them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    fault: Mutex<Fault>,
    calls: AtomicU32,
}

impl Faults {
    /// Applies from now on.
    pub fn set(&self, fault: Fault) {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How many calls reached the backend.
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// The first step of each call.
    pub(super) async fn pass(&self) -> Answer<()> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let fault = *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Fault::None => Ok(()),
            Fault::Fail => Err(BackendError::Down),
            Fault::Hang => pending().await,
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }
}
