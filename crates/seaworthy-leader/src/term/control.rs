use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::state::TermState;
use crate::epoch::Epoch;
use crate::event::TermEnd;

/// What a term asks of the elector that granted it. It must not block, and is called while no lock is held.
pub trait TermOwner: Send + Sync + 'static {
    /// The leader wants the term to end, and has been told to be done by `stop_by`: renew it until then. Not called
    /// again.
    fn wind_down(&self, stop_by: Instant);

    /// The term was resigned or dropped, for this reason: give it back, in the background, and call
    /// [`TermControl::released`] when that is done or was given up. Called once.
    fn end(&self, end: TermEnd);
}

/// The elector's side of a [`Term`](super::Term), for electors of your own.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone)]
pub struct TermControl(Arc<TermState>);

impl TermControl {
    pub(super) fn new(state: Arc<TermState>) -> TermControl {
        TermControl(state)
    }

    /// A renewal succeeded: the term is valid until then. Whether that is so: one that was found over stays over.
    pub fn renewed(&self, deadline: Instant) -> bool {
        self.0.renewed(deadline.into())
    }

    /// Tells the leader to end, and to be done by then: its deadline is near, and it could not be renewed. Until its
    /// deadline the term stays valid. To be called again if it has to be done earlier.
    pub fn tell(&self, stop_by: Instant) {
        self.0.tell(stop_by.into());
    }

    /// The term is lost: it is valid no more, at once.
    pub fn lost(&self, stop_by: Instant) {
        self.0.invalidate();
        self.0.tell(stop_by.into());
    }

    /// It has been given back, or is left to its ttl.
    pub fn released(&self) {
        self.0.set_released();
    }

    /// Whether a [`LeaderGuard`](crate::LeaderGuard) runs work under it.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.0.is_guarded()
    }

    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }
}

impl fmt::Debug for TermControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermControl").field("name", &self.0.name).field("epoch", &self.0.epoch).finish_non_exhaustive()
    }
}
