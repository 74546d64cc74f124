use std::sync::Arc;
use std::time::Duration;

use super::failure::FailureCause;
use super::follow::FollowError;
use super::notes::Notes;
use super::shared::Shared;
use crate::observe::event::{ErrorRef, RunnerEvent};
use crate::shutdown::Shutdown;

/// A task's link to its runner.
pub(super) struct TaskContext {
    shared: Arc<Shared>,
    notes: Notes,
}

impl TaskContext {
    pub(super) fn new(shared: Arc<Shared>, notes: Notes) -> TaskContext {
        TaskContext { shared, notes }
    }

    pub(super) fn shutdown(&self) -> Shutdown {
        self.shared.trigger.shutdown()
    }

    pub(super) fn rng(&self) -> f64 {
        self.shared.random.fraction()
    }

    pub(super) fn began_run(&self) {
        self.notes.began_run();
    }

    /// A run failed, and there will be another one.
    pub(super) fn failed(&self, cause: &FailureCause, again_in: Option<Duration>) {
        self.notes.failed(matches!(cause, FailureCause::Panicked(_)));
        self.shared.notify_failed(&self.notes.name, cause, again_in);
    }

    /// A stream that is followed has come to its end, and is connected to again.
    pub(super) fn stream_ended(&self, again_in: Duration) {
        self.shared.notifier.notify(RunnerEvent::StreamEnded { name: &self.notes.name, again_in });
    }

    /// An event of a stream was not applied, and never will be.
    pub(super) fn skipped(&self, error: &FollowError) {
        self.shared.notifier.notify(RunnerEvent::EventSkipped { name: &self.notes.name, error: ErrorRef::new(error) });
    }
}
