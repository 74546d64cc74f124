//! Guards, over leases in memory that can be told to fail.

mod blocked;
mod checks;
mod overlaps;
mod run;
mod shutdown;
mod stop;

use std::sync::{Arc, Mutex};

use seaworthy::Shutdown;
use seaworthy::{BoxError, ShutdownTrigger};
use seaworthy_leader::{GuardError, LeaderGuard, LeaderWatch, LeaseElector, Term};
use tokio::task::JoinHandle;

use crate::doubles::Faulty;

/// What the works of a test did.
#[derive(Clone, Default)]
pub(crate) struct Works(Arc<Mutex<Vec<String>>>);

impl Works {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Notes it when it is dropped.
    pub(crate) fn at_end(&self, what: &'static str) -> AtEnd {
        AtEnd(self.clone(), what)
    }
}

pub(crate) struct AtEnd(Works, &'static str);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

pub(crate) struct Running {
    pub(crate) trigger: ShutdownTrigger,
    pub(crate) watch: LeaderWatch,
    pub(crate) task: JoinHandle<Result<(), GuardError>>,
}

/// A guard of the name `a` that runs.
pub(crate) fn start<W>(elector: &LeaseElector<Faulty>, work: impl FnMut(Term<Faulty>) -> W + Send + 'static) -> Running
where
    W: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let guard = LeaderGuard::new(elector.clone(), "a", work);
    let (trigger, shutdown) = Shutdown::new();
    let watch = guard.watch();
    Running { trigger, watch, task: tokio::spawn(guard.run(shutdown)) }
}
