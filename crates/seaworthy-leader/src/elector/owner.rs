//! What a term asks of its elector.

use std::sync::Arc;
use std::time::Instant;

use seaworthy_store::time::now;
use tokio::runtime::Handle;

use super::board::{HeldTerm, Running, Shared};
use super::renewing;
use crate::event::{Event, TermEnd, Why};
use crate::store::LeaseStore;
use crate::term::TermOwner;

/// Of one term.
pub(super) struct Owner<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) term: u128,
    pub(super) runtime: Handle,
}

impl<S: LeaseStore> TermOwner for Owner<S> {
    fn wind_down(&self, stop_by: Instant) {
        let shared = &self.shared;
        let (now, stop_by) = (shared.moment(now()), shared.moment(stop_by.into()));
        if let Some(held) = shared.board().terms.get_mut(&self.term) {
            let was_told = held.clock.is_told();
            held.clock.wind_down(now, stop_by);
            if !was_told {
                let (name, epoch) = (held.tenure.name.clone(), held.control.epoch());
                shared.note(move |tell| tell(&Event::Told { name: &name, epoch, why: Why::Shutdown }));
            }
        }
        shared.tell();
        shared.terms_changed.notify_one();
    }

    fn end(&self, end: TermEnd) {
        let shared = &self.shared;
        let held = {
            let mut board = shared.board();
            let held = board.terms.remove(&self.term);
            if let Some(held) = held.as_ref().filter(|held| !held.is_told_over) {
                let (name, epoch) = (held.tenure.name.clone(), held.control.epoch());
                shared.note(move |tell| tell(&Event::Released { name: &name, epoch, end }));
            }
            held
        };
        shared.tell();
        shared.terms_changed.notify_one();
        let Some(HeldTerm { tenure, control, is_lost, .. }) = held else { return };
        if is_lost {
            return control.released();
        }
        shared.release(&self.runtime, tenure.name, tenure.term, move || control.released());
    }
}

impl<S: LeaseStore> Shared<S> {
    /// Renews until nothing is held.
    pub(super) fn keep_renewing(self: &Arc<Self>, runtime: &Handle) {
        if !std::mem::replace(&mut self.board().is_renewing, true) {
            // Although the thread of whoever leads now may be blocked from here on.
            self.tasks.spawn_apart(runtime, renewing::renew(Running::renewing(self)));
        }
        self.terms_changed.notify_one();
    }
}
