//! What streams need that show the state as it changes. Whether a check has changed is only known once it is asked.

use std::sync::Arc;
use std::task::Waker;

use super::changes::STREAMS_END;
use super::handle::Health;
use super::registry::CheckEntry;
use super::report::RunChecks;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;
use crate::rt::sync::Ordering;

impl Health {
    /// Wakes `waker` once, when the phase or the checks change or streams have to end, in place of the watcher `id`. An
    /// `id` of 0 means there is none yet.
    pub(crate) fn watch(&self, id: &mut u64, waker: &Waker) {
        self.0.changes.watchers.join(id, waker);
    }

    /// Wakes those who watch, for something that they look at beside the phase and the checks.
    pub(crate) fn services_changed(&self) {
        self.0.changes.watchers.wake_all();
    }

    pub(crate) fn forget_watcher(&self, id: u64) {
        self.0.changes.watchers.leave(id);
    }

    /// Another number after each change of the checks.
    pub(crate) fn version(&self) -> u64 {
        self.0.changes.word.load(Ordering::Acquire) & !STREAMS_END
    }

    pub(crate) fn streams_have_to_end(&self) -> bool {
        self.0.changes.word.load(Ordering::Acquire) & STREAMS_END != 0 || self.phase() == Phase::Stopped
    }

    pub(crate) fn has_check(&self, name: &str) -> bool {
        self.list().all.iter().any(|entry| entry.name == *name)
    }

    /// Asks the checks that are meant, of which `is_meant` gets the name and whether it is required; none if there are
    /// none.
    pub(crate) fn run_some(&self, is_meant: impl Fn(&Name, bool) -> bool) -> Option<RunChecks> {
        let list = self.list();
        let meant: Vec<&Arc<CheckEntry>> =
            list.all.iter().filter(|entry| is_meant(&entry.name, entry.is_required)).collect();
        (!meant.is_empty()).then(|| RunChecks::of(self.clone(), &meant))
    }
}
