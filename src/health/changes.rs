use super::handle::Health;
use crate::rt::sync::{AtomicU64, Ordering};
use crate::rt::waker_set::WakerSet;

/// Streams that show the state have to end.
pub(super) const STREAMS_END: u64 = 1;
/// One change of the checks.
const CHANGE: u64 = 2;

/// What has changed, for streams that show the state as it changes. No request reads any of it.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) word: AtomicU64,
    pub(super) watchers: WakerSet,
}

impl Changes {
    pub(super) fn new() -> Changes {
        Changes { word: AtomicU64::new(0), watchers: WakerSet::default() }
    }

    /// Checks were added, replaced or removed.
    pub(super) fn of_checks(&self) {
        self.word.fetch_add(CHANGE, Ordering::AcqRel);
        self.watchers.wake_all();
    }

    pub(super) fn of_phase(&self) {
        self.watchers.wake_all();
    }

    pub(super) fn end_streams(&self) {
        self.word.fetch_or(STREAMS_END, Ordering::AcqRel);
        self.watchers.wake_all();
    }
}

impl Health {
    /// Ends the streams that show this health as it changes, such as those of the gRPC health protocol, because an open
    /// one holds up a server that waits for its connections. A [`Runner`](crate::Runner) does this when its grace
    /// period begins; without one, call it before the server is told to finish.
    /// [`Phase::Stopped`](crate::Phase::Stopped) does the same.
    pub fn end_streams(&self) {
        self.0.changes.end_streams();
    }
}
