use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use seaworthy::{Name, Shutdown};

use super::state::TermState;
use crate::epoch::Epoch;
use crate::standing::Standing;

/// Looks at a [`Term`](super::Term), and cannot end it. Made by [`Term::watch`](super::Term::watch).
///
/// # Clone
/// Costs a reference count.
#[derive(Clone)]
pub struct TermWatch(Arc<TermState>);

impl TermWatch {
    pub(super) fn new(state: Arc<TermState>) -> TermWatch {
        TermWatch(state)
    }

    /// What is led.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The fence of this term.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// See [`Term::is_valid`](super::Term::is_valid).
    #[inline]
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    /// Requested when the term ends, or is about to: see [`Term::ended`](super::Term::ended).
    #[must_use]
    pub fn ended(&self) -> Shutdown {
        self.0.ended()
    }

    /// Until when it is valid if no renewal succeeds. None when it is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline().map(|deadline| deadline.into_std())
    }

    pub(crate) fn show_in(&self, standing: &Arc<Standing>) {
        self.0.show_in(standing);
    }
}

impl fmt::Debug for TermWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermWatch")
            .field("name", &self.0.name)
            .field("epoch", &self.0.epoch)
            .field("is_valid", &self.is_valid())
            .finish()
    }
}
