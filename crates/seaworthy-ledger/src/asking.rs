use seaworthy_store::time::Instant;

use crate::event::Event;
use crate::held::HeldLease;
use crate::key::Key;
use crate::ledger::Shared;
use crate::store::{Attempt, Holder};

/// A claim whose answer is awaited. If it is dropped without one, nobody knows whether the key was taken.
pub(crate) struct Asking<'a, S> {
    shared: &'a Shared<S>,
    key: &'a Key,
    until: Instant,
    answered: bool,
}

impl<'a, S> Asking<'a, S> {
    pub(crate) fn new(shared: &'a Shared<S>, key: &'a Key, until: Instant) -> Asking<'a, S> {
        Asking { shared, key, until, answered: false }
    }

    pub(crate) fn granted(mut self, holder: &Holder, attempt: &Attempt, sent: Instant) {
        self.answered = true;
        let shared = self.shared;
        match shared.held.granted(holder, attempt, sent) {
            None => shared.notify(&Event::Holding { ledger: &shared.name, step: 1 }),
            // Its work has to stop, if it is still there.
            Some(HeldLease { holder, renewing: Some(renewing), .. }) => {
                renewing.lost.fire();
                shared.notify(&Event::Lost { ledger: &shared.name, key: &holder.key, fence: holder.fence });
            }
            Some(_) => {}
        }
    }

    pub(crate) fn refused(mut self) {
        self.answered = true;
        self.shared.held.refused(self.key);
    }

    pub(crate) fn not_granted(mut self) {
        self.answered = true;
        self.shared.held.not_granted(self.key);
    }
}

impl<S> Drop for Asking<'_, S> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.held.doubtful(self.key, self.until);
        }
        self.shared.held.answered.notify_waiters();
    }
}
